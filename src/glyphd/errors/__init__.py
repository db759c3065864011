"""The whole failure vocabulary.

A failure has a stable ``code``, a ``kind`` that the edges translate (HTTP status in ``api/problems.py``, exit code in
``cli/``), a ``title`` (the first line of its docstring) and a ``detail`` of what was found in this one case."""

from glyphd.errors.answers import *
from glyphd.errors.base import *
from glyphd.errors.file import *
from glyphd.errors.ledger import *
from glyphd.errors.request import *
from glyphd.errors.retries import *
from glyphd.errors.stores import *
