"""Bodies that are not what they say: a clear problem, never a 500, and nothing on the ledger."""

import json
import random

import httpx
import pytest

SAMPLE_HEAD = b"canonical_model,vram_gb,mig_support,nvlink,tdp_watts,price,score\nA100,80,7,True,350,100,50\n"
FILE = b'Content-Disposition: form-data; name="file"; filename="a.csv"'
MULTIPART = "multipart/form-data; boundary=XX"
PROBLEM = {"type", "title", "status", "detail", "code"}


def form(*parts: tuple[bytes, bytes], boundary: bytes = b"XX") -> bytes:
    """Write a multipart body of (headers, content)."""
    written = b"".join(b"--%s\r\n%s\r\n\r\n%s\r\n" % (boundary, headers, content) for headers, content in parts)
    return written + b"--%s--\r\n" % boundary


def field(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """Return a part that is a text field."""
    return b'Content-Disposition: form-data; name="%s"' % name, value


GOOD = form((FILE, SAMPLE_HEAD))
FORMS: dict[str, tuple[str, bytes, int, str]] = {
    "no boundary": ("multipart/form-data", GOOD, 400, "malformed_request"),
    "empty boundary": ("multipart/form-data; boundary=", GOOD, 400, "malformed_request"),
    "another boundary": ("multipart/form-data; boundary=YY", GOOD, 400, "malformed_request"),
    "no body": (MULTIPART, b"", 400, "incomplete_body"),
    "truncated in the file": (MULTIPART, GOOD[:-30], 400, "incomplete_body"),
    "truncated in the boundary": (MULTIPART, GOOD[:-4], 400, "incomplete_body"),
    "truncated in an option": (
        MULTIPART,
        form((FILE, SAMPLE_HEAD), field(b"source", b"wamatek--"))[:-10],
        400,
        "incomplete_body",
    ),
    "garbage": (MULTIPART, bytes(range(256)), 400, "malformed_request"),
    "two files": (MULTIPART, form((FILE, SAMPLE_HEAD), (FILE, SAMPLE_HEAD)), 422, "invalid_parameter"),
    "an option twice": (
        MULTIPART,
        form((FILE, SAMPLE_HEAD), field(b"source", b"a"), field(b"source", b"a")),
        422,
        "invalid_parameter",
    ),
    "unknown part": (MULTIPART, form((FILE, SAMPLE_HEAD), field(b"colour", b"red")), 422, "invalid_parameter"),
    "no file": (MULTIPART, form(field(b"source", b"a")), 422, "missing_file"),
    "nothing": (MULTIPART, b"--XX--\r\n", 422, "missing_file"),
    "text for file": (MULTIPART, form(field(b"file", SAMPLE_HEAD)), 422, "missing_file"),
    "nested": (
        MULTIPART,
        form((FILE + b"\r\nContent-Type: multipart/mixed; boundary=YY", form((FILE, b""), boundary=b"YY"))),
        415,
        "unsupported_format",
    ),
    "PDF": (MULTIPART, form((FILE + b"\r\nContent-Type: application/pdf", b"%PDF")), 415, "unsupported_format"),
    "zip": (MULTIPART, form((FILE, b"PK\x03\x04...")), 415, "unsupported_format"),
    "no name": (MULTIPART, form((b'Content-Disposition: form-data; filename="a"', b"x")), 422, "missing_file"),
    "no headers": (MULTIPART, b"--XX\r\n\r\nx\r\n--XX--\r\n", 422, "missing_file"),
    "a name that is not UTF-8": (MULTIPART, form((FILE[:-5] + b'\xff"', b"x")), 400, "malformed_request"),
    "an option that is not UTF-8": (
        MULTIPART,
        form((FILE, SAMPLE_HEAD), field(b"source", b"\xff")),
        422,
        "invalid_parameter",
    ),
    "a long option": (
        MULTIPART,
        form((FILE, SAMPLE_HEAD), field(b"metadata", b" " * 40_000)),
        422,
        "invalid_parameter",
    ),
    "endless headers": (MULTIPART, b"--XX\r\n" + FILE[:-5] + b"a" * 3_000_000, 400, "malformed_request"),
    "many headers": (MULTIPART, form((FILE + b"\r\nX-A: b" * 20_000, b"x")), 400, "malformed_request"),
}
JSONS: dict[str, tuple[bytes, int, str]] = {
    "nothing": (b"", 422, "missing_file"),
    "half": (b"[{", 400, "malformed_request"),
    "space": (b"  ", 400, "malformed_request"),
    "NaN": (b'[{"price": NaN}]', 400, "malformed_request"),
    "Infinity": (b'{"listings": [], "metadata": {"a": Infinity}}', 400, "malformed_request"),
    "text": (b'"x"', 422, "missing_file"),
    "null": (b"null", 422, "missing_file"),
    "number": (b"3", 422, "missing_file"),
    "an object without listings": (b"{}", 422, "missing_file"),
    "listings that are no array": (b'{"listings": {}}', 422, "invalid_parameter"),
    "both": (b'{"listings": [], "content": "x"}', 422, "invalid_parameter"),
    "content that is no text": (b'{"content": 3}', 422, "invalid_parameter"),
    "unknown member": (b'{"listings": [], "colour": "red"}', 422, "invalid_parameter"),
    "a member twice": (b'{"listings": [], "listings": []}', 400, "malformed_request"),
    "more after it": (b"[] []", 400, "malformed_request"),
    "a lone surrogate": (b'{"listings": [], "source": "\\ud800"}', 400, "malformed_request"),
    "a member that is a lone surrogate": (b'{"listings": [], "\\ud800": 1}', 400, "malformed_request"),
    "not UTF-8": (b'{"listings": [], "source": "\xff"}', 400, "malformed_request"),
    "source that is a number": (b'{"listings": [], "source": 3}', 422, "invalid_parameter"),
    "schema version that is a list": (
        b'{"listings": [], "schema_version": ["v1.1"]}',
        422,
        "unsupported_schema_version",
    ),
    "on_error that is an object": (b'{"listings": [], "on_error": {}}', 422, "invalid_parameter"),
    "metadata of 300 levels": (
        b'{"listings": [], "metadata": ' + b'{"a":' * 300 + b"1" + b"}" * 301,
        422,
        "invalid_parameter",
    ),
    "100 000 levels": (b"[" * 100_000, 400, "malformed_request"),
    "a name that says Parquet": (b'{"filename": "a.parquet", "content": "x"}', 415, "unsupported_format"),
}


def refused(api: httpx.Client, media_type: str, body: bytes) -> tuple[int, str]:
    """Submit a body that is refused; return the status and the code of the problem."""
    answer = api.post("/api/import", content=body, headers={"Content-Type": media_type})
    problem = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert set(problem) >= PROBLEM
    assert problem["status"] == answer.status_code
    assert problem["type"] == f"/problems/{problem['code']}"
    assert api.get("/api/imports").json()["items"] == []
    return answer.status_code, problem["code"]


@pytest.mark.parametrize("name", FORMS)
def test_a_malformed_form_is_refused(shared_api: httpx.Client, name: str) -> None:
    """Each is a problem that says what is wrong, and leaves no import."""
    media_type, body, status, code = FORMS[name]

    assert (status, code) == refused(shared_api, media_type, body)


@pytest.mark.parametrize("name", JSONS)
def test_malformed_json_is_refused(shared_api: httpx.Client, name: str) -> None:
    """Each is a problem that says what is wrong, and leaves no import."""
    body, status, code = JSONS[name]

    assert (status, code) == refused(shared_api, "application/json", body)


@pytest.mark.parametrize(
    "media_type",
    [
        "application/xml",
        "application/pdf",
        "application/x-ndjson",
        "application/vnd.apache.parquet",
        "image/png",
        "foo",
    ],
)
def test_a_format_that_cannot_be_imported_is_refused(shared_api: httpx.Client, media_type: str) -> None:
    """415 that lists what can be."""
    assert (415, "unsupported_format") == refused(shared_api, media_type, SAMPLE_HEAD)


def test_mutated_forms_never_cause_a_fault(api: httpx.Client) -> None:
    """Whatever is changed in a good form, the answer is a success or a problem of the client's."""
    chosen = random.Random(1)
    pieces = [b"\r\n", b"\xff", b"--XX", b"\x00", b'"', b";", b"=", b" \xc3\xa9"]
    good = form((FILE, SAMPLE_HEAD), field(b"source", b"x"))
    statuses = set()
    for _ in range(150):
        body = bytearray(good)
        for _ in range(chosen.randint(1, 6)):
            at = chosen.randrange(len(body))
            body[at : at + chosen.choice((0, 0, 1, 5))] = chosen.choice(pieces)
        answer = api.post("/api/import", content=bytes(body), headers={"Content-Type": MULTIPART})
        statuses.add(answer.status_code)

    assert statuses <= {201, 400, 415, 422}


def test_a_preamble_of_options_does_not_matter(api: httpx.Client) -> None:
    """Options may come before and after the file."""
    body = form(field(b"campaign_id", b"july"), (FILE, SAMPLE_HEAD), field(b"source", b"wamatek"))

    report = api.post("/api/import", content=body, headers={"Content-Type": MULTIPART}).json()

    assert ("july", "wamatek", 1) == (report["campaign_id"], report["source"], report["count"])


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b'filename="../../etc/passwd"', "passwd"),
        (b'filename="C:\\\\Users\\\\x\\\\a.csv"', "a.csv"),
        (b'filename="a\x01\x7f\xe2\x80\xae.csv"', "a.csv"),
        (b"filename*=utf-8''%F0%9F%92%BE%0D%0ASet-Cookie%3A%20a.csv", "💾Set-Cookie: a.csv"),
        (b'filename="<script>alert(1)</script>.csv"', "script>.csv"),
        (b'filename="' + "é".encode() * 300 + b'"', "é" * 255),
    ],
)
def test_a_hostile_file_name_is_only_a_label(api: httpx.Client, sent: bytes, kept: str) -> None:
    """Folders and control characters are dropped; the download's header cannot be broken out of."""
    body = form((b'Content-Disposition: form-data; name="file"; ' + sent, SAMPLE_HEAD))

    report = api.post("/api/import", content=body, headers={"Content-Type": MULTIPART}).json()
    download = api.get(f"/api/imports/{report['import_id']}/artifact")

    assert kept == report["artifacts"][0]["filename"]
    assert download.headers["Content-Disposition"].isascii()
    assert "Set-Cookie" not in download.headers
    assert SAMPLE_HEAD == download.content


def test_what_json_cannot_carry_is_escaped(api: httpx.Client) -> None:
    """A part's name in a problem, and a rejected record's surrogates, are shown as their escapes."""
    bad = (
        b'[{"canonical_model": "\\ud800"}, %s]'
        % json.dumps(
            {
                "canonical_model": "A",
                "vram_gb": 1,
                "mig_support": 0,
                "nvlink": 1,
                "tdp_watts": 9,
                "price": 1,
                "score": 1,
            }
        ).encode()
    )

    report = api.post("/api/import", content=bad, headers={"Content-Type": "application/json"}).json()
    rejections = api.get(report["links"]["rejections"])
    as_csv = api.get(report["links"]["rejections"] + "?format=csv")

    assert (1, "invalid_encoding") == (report["count"], report["errors"][0]["code"])
    assert '{"canonical_model": "\\ud800"}' == rejections.json()["items"][0]["raw"]
    assert b"\\ud800" in as_csv.content
