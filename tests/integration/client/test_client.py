from collections.abc import Callable
from pathlib import Path

import pytest

from glyphd.client import Client
from glyphd.settings import Settings
from tests.serving import serving, working

SAMPLE = Path(__file__).parents[3] / "sample" / "scored_sample.csv"


def test_smoke(make_settings, context):
    with serving(make_settings(), context) as http, working(context), Client(str(http.base_url)) as client:
        sent = []
        r = client.import_file(SAMPLE, source="a", metadata={"x": 1}, on_progress=lambda n, of: sent.append((n, of)))
        print(r, sent)
        print(list(client.imports()))
        print(next(client.listings()))
        print(client.listings(as_frame="polars"))
        print(list(client.rejections(r.import_id)), b"".join(client.rejections_csv(r.import_id)))
        print(list(client.events(r.import_id)), len(b"".join(client.artifact(r.import_id))))
        print(
            client.digest(r.import_id),
            list(client.sources()),
            list(client.models())[:1],
            client.schema_versions(),
            len(client.schema("v1.0")),
        )
        with pytest.raises(Exception) as e:
            client.discard(r.import_id)
        print(repr(e.value), e.value.code, e.value.status, e.value.import_id, e.value.members)
        with pytest.raises(Exception) as e:
            client.import_file(b"a,b\n1,2\n")
        print(repr(e.value), e.value.code, e.value.status, e.value.import_id, e.value.members)
        assert 0
