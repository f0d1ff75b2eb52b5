"""google-cloud-storage: objects up and down, whole, resumable and in pieces, and a token that it fetches.

Its asynchronous client speaks gRPC, and is not used here.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from importlib import import_module
from typing import Any

from tests.integration.named_hosts import Answer, Asked
from tests.integration.sdks import on_threads, refuses

PACKAGE = "google.cloud.storage"
DISTRIBUTION = "google-cloud-storage"
REQUIRES = ("google-cloud-storage>=2.14",)
TRANSPORT = "urllib3 (requests)"
_STORE, _TOKENS = "storage.googleapis.com", "oauth2.googleapis.com"
HOSTS = (_STORE, _TOKENS)
_OBJECTS = "/storage/v1/b/{bucket}/o"
EXPECTED = {
    ("gcp", "/token", "POST"): (1, 0),
    ("gcp", _OBJECTS, "GET"): (2, 0),
    ("gcp", f"{_OBJECTS}/{{object}}", "GET"): (48, 5),
    ("gcp", f"{_OBJECTS}/{{object}}", "DELETE"): (1, 0),
    ("gcp", f"{_OBJECTS}/{{object}}/copyTo", "POST"): (1, 0),
    ("gcp", f"/upload{_OBJECTS}", "POST"): (2, 0),
    ("gcp", f"/upload{_OBJECTS}", "PUT"): (2, 0),
    ("gcp", f"/download{_OBJECTS}/{{object}}", "GET"): (5, 0),
}
LEFT: dict[tuple[str, str, str], set[str]] = {}

_UNIT = 256 * 1024
"""What the pieces of a resumable upload are multiples of."""
_CONTENT = b"0123456789abcdef" * (_UNIT // 16) + b"the rest"


def _upload(asked: Asked) -> Answer:
    if asked.query["uploadType"] == "multipart":
        return Answer(b'{"name": "small", "bucket": "stuff"}')
    if asked.method == "POST":
        place = f"https://{_STORE}{asked.path}?uploadType=resumable&upload_id=u"
        return Answer(b"", headers={"Location": place})
    if asked.headers["content-range"].startswith("bytes 0-"):
        return Answer(b"", 308, headers={"Range": f"bytes=0-{_UNIT - 1}"})
    digest = base64.b64encode(hashlib.md5(_CONTENT).digest()).decode()
    return Answer(json.dumps({"name": "large", "bucket": "stuff", "md5Hash": digest}).encode())


def _download(asked: Asked) -> Answer:
    first, _, last = asked.headers.get("range", "").rpartition("=")[2].partition("-")
    if not first:
        return Answer(_CONTENT, content_type="text/plain")
    part = _CONTENT[int(first) : int(last) + 1 if last else None]
    place = f"bytes {first}-{int(first) + len(part) - 1}/{len(_CONTENT)}"
    return Answer(part, 206, "text/plain", {"Content-Range": place})


def answer(asked: Asked) -> Answer:
    """Speak like Cloud Storage's JSON API, and like Google's token endpoint."""
    if asked.host == _TOKENS:
        return Answer(b'{"access_token": "ya29.test", "expires_in": 3600, "token_type": "Bearer"}')
    if asked.path.startswith("/upload/"):
        return _upload(asked)
    if asked.path.startswith("/download/"):
        return _download(asked)
    name = asked.path.rpartition("/")[2]
    if name == "o":
        first = "pageToken" not in asked.query
        page = {"items": [{"name": "first" if first else "second"}]}
        return Answer(json.dumps({**page, **({"nextPageToken": "t"} if first else {})}).encode())
    if name == "stall":
        return Answer(stall=True)
    status = {"missing": 404, "busy": 429, "broken": 500}.get(name)
    if status == 404 or (status and asked.repeats % 2 == 0):
        return Answer(b'{"error": {"message": "no"}}', status)
    if asked.method == "DELETE":
        return Answer(b"", 204)
    return Answer(json.dumps({"name": name, "bucket": "stuff", "size": str(len(_CONTENT))}).encode())


def _client() -> Any:
    credentials: Any = import_module("google.oauth2.credentials").Credentials
    user = credentials(
        None, refresh_token="r", client_id="c", client_secret="s", token_uri=f"https://{_TOKENS}/token"
    )
    return import_module("google.cloud.storage").Client(project="p", credentials=user)


def use() -> None:
    """Make every call."""
    missing: Any = import_module("google.cloud.exceptions").NotFound
    timed_out: Any = import_module("requests").ReadTimeout
    retry = import_module("google.cloud.storage.retry").DEFAULT_RETRY.with_delay(0.01, 0.01)
    # A thread that looks up the bucket whenever it likes.
    os.environ["DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA"] = "true"
    client = _client()
    bucket = client.bucket("stuff")
    bucket.blob("small").upload_from_string("hello")
    with bucket.blob("large").open("wb", chunk_size=_UNIT, checksum="md5") as writer:
        writer.write(_CONTENT)  # resumable: two pieces
    assert bucket.blob("large").download_as_bytes() == _CONTENT
    assert bucket.blob("large", chunk_size=_UNIT).download_as_bytes() == _CONTENT  # two ranges
    with bucket.blob("large").open("rb", chunk_size=1000) as reader:
        assert reader.read(10) == _CONTENT[:10]
        reader.seek(5000)
        assert reader.read(10) == _CONTENT[5000:5010]
    assert [blob.name for blob in client.list_blobs("stuff")] == ["first", "second"]
    for name in ("busy", "broken"):
        assert bucket.get_blob(name, retry=retry).size == len(_CONTENT)
    assert bucket.get_blob("missing") is None
    assert bucket.copy_blob(bucket.blob("large"), bucket, "copy").name == "copy"
    bucket.blob("large").delete()
    on_threads(lambda: bucket.get_blob("large"))
    refuses(lambda: bucket.get_blob("stall", timeout=(30, 0.2), retry=None), timed_out)
    refuses(lambda: bucket.blob("missing").reload(), missing)
    client.close()
