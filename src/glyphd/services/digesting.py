"""The row digest: by what it is known that two imports, or one import in two databases, hold the same rows.

SHA-256 over the contract's values of the accepted rows, one line per row in `import_index` order (DESIGN §6). A line is
a JSON object of `import_index` and every field that has a value, sorted by name, without spaces, in UTF-8; a number
that need not be whole has a fraction or an exponent and the fewest digits that read back the same; moments are RFC 3339
in UTC. What differs between replays (ids, times of import) is not in it. A field without a value is left out, so that a
field that a later schema version adds does not change the digest of older imports.
"""

import hashlib

import msgspec
from sqlalchemy import Connection

from glyphd.domain.listing import FIELDS
from glyphd.services.context import Context
from glyphd.store import imports, listings
from glyphd.store.listings import Stretch

INDEXES_PER_PAGE = 10_000
_NAMES = sorted(field.name for field in FIELDS)
_LINE_NAMES = sorted([*_NAMES, "import_index"])
_POSITIONS = [["import_index", *_NAMES].index(name) for name in _LINE_NAMES]
_Line = msgspec.defstruct("_Line", [(name, object, None) for name in _LINE_NAMES], omit_defaults=True, gc=False)


def digest_import(context: Context, import_id: str) -> str:
    """Return the row digest of an import, in hex. Raises ImportNotFound."""
    with context.database.reading() as connection:
        imports.find_import(connection, import_id)
        return digest_rows(connection, import_id)


def digest_rows(connection: Connection, import_id: str) -> str:
    """Return the row digest of whatever rows an import has, inside a transaction that is open; reads page by page."""
    digest = hashlib.sha256()
    encoder = msgspec.json.Encoder()
    for after in range(0, listings.last_index(connection, import_id), INDEXES_PER_PAGE):
        columns = listings.read_values(connection, Stretch(import_id, after, after + INDEXES_PER_PAGE), _NAMES)
        lines = list(map(_Line, *(columns[at] for at in _POSITIONS)))  # msgspec 0.22 leaks what an iterator yields
        digest.update(encoder.encode_lines(lines))
    return digest.hexdigest()
