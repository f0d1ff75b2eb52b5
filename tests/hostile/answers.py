"""Answers that take long to read, of any size. A new one is tried by every program and test with no edit."""

from __future__ import annotations

import base64
import gzip
import json
import random
import zlib
from collections.abc import Iterator, Mapping
from functools import lru_cache, partial
from importlib import import_module
from struct import pack
from typing import Any, Callable, Final, NamedTuple, Optional

from recost.interceptors import Interception
from recost.interceptors.capture import Capture
from recost.interceptors.exchange import Exchange, nowhere, unfinished
from recost.interceptors.fanout import Metered

__all__ = ["ANSWERS", "PIECE", "Sent", "exchange_of", "pieces_of"]

PIECE: Final = 65_536
"""Bytes that clients hand on at once, at most, unless they hand on everything."""


class Sent(NamedTuple):
    """What a stranger sends, or makes the application send."""

    body: bytes = b'{"model": "gpt-4o", "usage": {"prompt_tokens": 5, "completion_tokens": 7}}'
    content_type: str = "application/json"
    encoding: str = ""
    host: str = "api.openai.com"
    path: str = "/v1/chat/completions"
    method: str = "POST"
    headers: Mapping[str, str] = {}


_SENT: Final = Sent()
_CHAT: Final = _SENT.body
_EVENT: Final = b"data: " + _CHAT + b"\n\n"
_SSE: Final = "text/event-stream"
_NDJSON: Final = "application/x-ndjson"
_AWS: Final = Sent(
    content_type="application/vnd.amazon.eventstream",
    host="bedrock-runtime.us-east-1.amazonaws.com",
    path="/model/anthropic.claude-3-haiku-20240307-v1:0/invoke-with-response-stream",
)
_Make = Callable[[int], Sent]


def _filled(unit: bytes, size: int) -> bytes:
    return unit * max(size // len(unit), 1)


def _of(before: bytes, unit: bytes, after: bytes, **sent: Any) -> _Make:
    """Return what makes a body of one thing again and again."""
    return lambda size: Sent(before + _filled(unit, size - len(before) - len(after)) + after, **sent)


def _blank(blank: bytes, before: bytes, after: bytes, content_type: str) -> dict[str, _Make]:
    """Return what makes a body of 10,000 blank lines, and one as long as is asked for."""
    lines = Sent(before + blank * 10_000 + after, content_type)
    return {"10,000": lambda _: lines, "all": _of(before, blank, after, content_type=content_type)}


def _with(field: str, before: str, unit: str, after: str = "", sent: Sent = _SENT) -> _Make:
    """Return what makes a call with a long text in one of its fields."""

    def make(size: int) -> Sent:
        changes: dict[str, Any] = {field: before + _text(unit, size) + after}
        return sent._replace(**changes)

    return make


def _header(name: str, unit: str, sent: Sent) -> _Make:
    return lambda size: sent._replace(headers={name: _text(unit, size)})


def _coded(encoding: str, body: Callable[[int], bytes]) -> _Make:
    return lambda size: Sent(body(size), encoding=encoding)


@lru_cache(maxsize=4)
def _swelling(encoding: str) -> bytes:
    """Return what swells to 64 MB."""
    unit = b"\0" * (1 << 20)
    if encoding == "br":
        compressor = import_module("brotli").Compressor(quality=5)
        return b"".join(compressor.process(unit) for _ in range(64)) + bytes(compressor.finish())
    if encoding == "zstd":
        packed: bytes = import_module("zstandard").ZstdCompressor().compress(unit)
        return packed * 64
    outer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(outer.compress(unit) for _ in range(64)) + outer.flush()


def _packed_prose(encoding: str, size: int) -> bytes:
    return _packed(encoding, _prose(size))


def _bomb(encoding: str, size: int) -> bytes:
    return _filled(_swelling(encoding), size)


def _packed(encoding: str, text: bytes) -> bytes:
    if encoding == "br":
        return bytes(import_module("brotli").compress(text, quality=1))
    if encoding == "zstd":
        return bytes(import_module("zstandard").ZstdCompressor().compress(text))
    return gzip.compress(text, 1)


@lru_cache(maxsize=2)
def _prose(size: int) -> bytes:
    """Return JSON of many different words, which no coding makes very small."""
    words = random.Random(1)
    text = " ".join(f"{words.getrandbits(60):x}" for _ in range(size // 16))
    return json.dumps(
        {"model": "gpt-4o", "choices": [{"message": {"content": text}}], "usage": {"prompt_tokens": 5}}
    ).encode()


def _message(payload: bytes) -> bytes:
    headers = b"\x0b:event-type\x07\x00\x05chunk"
    prelude = pack(">II", len(payload) + len(headers) + 16, len(headers))
    message = prelude + pack(">I", zlib.crc32(prelude)) + headers + payload
    return message + pack(">I", zlib.crc32(message))


def _wrapped(text: bytes) -> bytes:
    return _message(b'{"bytes": "' + base64.b64encode(text) + b'"}')


_PIXELS: Final = base64.b64encode(random.Random(2).randbytes(3 << 10))
_MODEL: Final = b'{"model": "gpt-4o", "usage": {"prompt_tokens": 5, "completion_tokens": 7}, "x": '
_IN_JSON: Final = {
    "one long string": (b'"', b"x", b'"'),
    "a string of escaped quotes": (b'"', b'\\"', b'"'),
    "a string of escapes": (b'"', b"\\n", b'"'),
    "a string of \\u escapes": (b'"', b"\\u00e9", b'"'),
    "a string of surrogate pairs": (b'"', b"\\ud83d\\ude00", b'"'),
    "a string of lone surrogates": (b'"', b"\\ud800", b'"'),
    "a string of emoji": (b'"', "\U0001f600".encode(), b'"'),
    "a string of é": (b'"', "é".encode(), b'"'),
    "a string of invalid UTF-8": (b'"', b"\xff", b'"'),
    "a string of brackets": (b'"', b"[{", b'"'),
    "a string without end": (b'"', b"x", b""),
    "a base64 image": (b'[{"b64_json": "', _PIXELS, b'"}]'),
    "many short strings": (b"[", b'"",', b"0]"),
    "many objects": (b"[", b'{"a":1},', b"0]"),
    "many empty objects": (b"[", b"{},", b"0]"),
    "many empty arrays": (b"[", b"[],", b"0]"),
    "many arrays and strings": (b"[", b'[""],', b"0]"),
    "an embedding": (b"[", b"-0.012345678,", b"0]"),
    "many small integers": (b"[", b"1,", b"0]"),
    "many integers of 18 digits": (b"[", b"123456789012345678,", b"0]"),
    "many integers of 400 digits": (b"[", b"9" * 400 + b",", b"0]"),
    "many integers of 990 digits": (b"[", b"9" * 990 + b",", b"0]"),
    "one integer": (b"", b"9", b""),
    "one fraction": (b"0.", b"7", b""),
    "many short fractions": (b"[", b"0.5,", b"0]"),
    "many powers": (b"[", b"1e9,", b"0]"),
    "many huge powers": (b"[", b"1e9999999999999999999,", b"0]"),
    "NaN": (b"[", b"NaN,", b"0]"),
    "true": (b"[", b"true,", b"0]"),
    "many names": (b'{"a": 0', b',"b":1', b"}"),
    "a long name": (b'{"', b"k", b'": 1}'),
    "blanks": (b"[", b" ", b"0]"),
    "line feeds": (b"[", b"\n", b"0]"),
    "nested arrays": (b"", b"[", b""),
    "nested objects": (b"", b'{"a":', b""),
    "nested 199 deep": (b"[", b"[" * 190 + b"]" * 190 + b",", b"0]"),
    "commas": (b"[", b",", b"0]"),
    "quotes": (b"[", b'"', b"0]"),
    "backslashes": (b'"', b"\\", b'"'),
    "half a member": (b"{", b'"a"', b"}"),
}


def _json_answers() -> Iterator[tuple[str, _Make]]:
    for name, (before, unit, after) in _IN_JSON.items():
        yield f"JSON, {name}", _of(_MODEL + before, unit, after + b"}")
        end = b', "model": "gpt-4o", "usage": {"prompt_tokens": 5}}'
        yield f"JSON, {name} first", _of(b'{"x": ' + before, unit, after + end)
        yield (
            f"SSE, {name}",
            _of(_EVENT + b"data: " + _MODEL + before, unit, after + b"}\n\n", content_type=_SSE),
        )
    units = (
        b"[",
        b"]",
        b'"',
        b"\\",
        b"{",
        b"}",
        b",",
        b":",
        b"1",
        b"-",
        b"\0",
        b"\xff",
        b" ",
        b"\r",
        b'{"a":1}',
    )
    for unit in units:
        yield f"only {unit!r}", _of(b"", unit, b"")


def _stream_answers() -> Iterator[tuple[str, _Make]]:
    chat = _CHAT
    for name, unit in {
        "events": _EVENT,
        "events with CRLF": _EVENT.replace(b"\n", b"\r\n"),
        "events with CR": _EVENT.replace(b"\n", b"\r"),
        "comments": b": keep-alive\n\n",
        "comments in one event": b": keep-alive\n",
        "short events": b"data: {}\n\n",
        "empty events": b"data:\n\n",
        "lines of data in one event": b"data: 1\n",
        "empty lines of data": b"data:\n",
        "other fields": b"event: x\nid: 1\nretry: 5\n",
        "one line": b"x",
        "line feeds": b"\n",
        "pairs of CR and CRLF": b"\r\r\n",
    }.items():
        yield f"SSE of {name}", _of(_EVENT, unit, b"\n\n" + _EVENT, content_type=_SSE)
    for name, unit in {
        "documents": chat + b"\n",
        "short documents": b"{}\n",
        "no line feeds": chat,
        "short documents, no line feeds": b"{}",
        "lines that are no JSON": b"{model\n",
        "usage without end": b'{"usage"\n',
        "one line": b"x",
    }.items():
        yield f"NDJSON of {name}", _of(chat + b"\n", unit, b"\n" + chat + b"\n", content_type=_NDJSON)
    blanks = {"LF": b"\n", "CRLF": b"\r\n", "blanks and LF": b"  \n"}
    for kind, document, content_type in (
        ("JSON", chat, "application/json"), ("SSE", _EVENT, _SSE), ("NDJSON", chat + b"\n", _NDJSON),
    ):  # fmt: skip
        for blank_name, blank in blanks.items():
            for place, (before, after) in {
                "before": (b"", document), "after": (document, b""), "between": (document, document),
            }.items():  # fmt: skip
                for count, make in _blank(blank, before, after, content_type).items():
                    yield f"{kind}, {blank_name} {place}, {count}", make


def _binary_answers() -> Iterator[tuple[str, _Make]]:
    noise = random.Random(3).randbytes(1 << 16)
    for kind in ("application/octet-stream", "audio/mpeg", "image/png", "multipart/form-data; boundary=x"):
        yield f"noise, {kind}", _of(b"", noise, b"", content_type=kind)
        yield f"parts, {kind}", _of(b"--x\r\n", b"A: b\r\n\r\n{}\r\n--x\r\n", b"--x--", content_type=kind)
    for name, unit in {
        "messages": _wrapped(b'{"type": "content_block_delta"}'),
        "short messages": _message(b"{}"),
        "wrapped arrays": _wrapped(b"[" + b"[]," * 500 + b"0]"),
        "zeros": b"\0",
        "zeros and ones": b"\0\1",
    }.items():
        yield f"event stream of {name}", _message_stream(partial(_filled, unit))
    yield "event stream of one message", _message_stream(lambda size: _wrapped(_prose(size)))
    for encoding in ("gzip", "br", "zstd"):
        yield f"{encoding} of prose", _coded(encoding, partial(_packed_prose, encoding))
        yield f"{encoding} bomb", _coded(encoding, partial(_bomb, encoding))
        yield f"{encoding} of noise", _coded(encoding, partial(_filled, noise))
    yield "gzip in gzip", _coded("gzip, gzip", lambda size: gzip.compress(_bomb("gzip", size)))
    yield "gzip of empty members", _coded("gzip", partial(_filled, gzip.compress(b"")))


def _message_stream(body: Callable[[int], bytes]) -> _Make:
    return lambda size: _AWS._replace(body=body(size))


def _requests() -> Iterator[tuple[str, _Make]]:
    elsewhere = Sent(host="a.example")
    for unit in ("a", "1-", "%41", ".", "a:b=c;", "Aa1"):
        yield f"path of {unit}", _with("path", "/v1/", unit, "!")
        yield f"other host's path of {unit}", _with("path", "/v1/", unit, "!", elsewhere)
        yield f"host of {unit}", _with("host", "", unit, ".com")
        yield f"query of {unit}", _with("path", "/v1/chat/completions?", unit)
        yield f"method of {unit}", _with("method", "", unit)
        yield f"content type of {unit}", _with("content_type", "", unit)
    yield "path of segments", _with("path", "", "/a", sent=elsewhere)
    yield "path of models", _with("path", "", "/model/x", sent=_AWS)
    yield "model in a path", _with("path", "/model/", "%41", "/invoke", _AWS)
    yield "host of labels in Unicode", _with("host", "", "é.", "com")
    yield "content type of x-", _with("content_type", "", "x-")
    yield "content encoding of letters", _with("encoding", "", "a")
    yield "content encoding of commas", _with("encoding", "", "gzip, ")
    yield "content encoding of blanks", _with("encoding", "", " ")
    invoked = _AWS._replace(
        path=_AWS.path.removesuffix("-with-response-stream"), content_type="application/json"
    )
    yield "a header's number", _header("x-amzn-bedrock-input-token-count", "9", invoked)
    yield "a header's name", _header("dg-model-name", "a", Sent(host="api.deepgram.com", path="/v1/speak"))


def _text(unit: str, size: int) -> str:
    return unit * (size // len(unit))


ANSWERS: Final[dict[str, _Make]] = dict(
    [*_json_answers(), *_stream_answers(), *_binary_answers(), *_requests()]
)
"""What makes each, of about so many bytes, by name."""


def pieces_of(body: Any, size: int = PIECE) -> Iterator[Any]:
    """Yield a body as clients hand it on."""
    for at in range(0, len(body), size):
        yield body[at : at + size]


def exchange_of(sent: Sent, metered: Optional[Metered] = None) -> Exchange:
    """Do what is done on the caller's thread: return the call that has this answer, finished."""
    interception = Interception()
    interception.sink, interception.metered = nowhere, metered
    made = interception.begin("httpx", ("https", sent.host, 443, sent.path, sent.method))
    assert made is not None
    unfinished[made] = None
    made.headers_received(200)
    if made.wanted is not None:
        made.capture = Capture(made.wanted.headers, sent.headers, sent.content_type, sent.encoding)
        for piece in pieces_of(sent.body):
            made.capture.feed(piece)
        made.capture.complete = True
    made.response_bytes = len(sent.body)
    made.finish()
    return made
