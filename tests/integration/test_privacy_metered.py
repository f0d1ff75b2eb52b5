"""Where answers are looked at for what was used, no text of theirs, or of the requests, is found anywhere."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Optional

import pytest

import recost
from tests.api import Api
from tests.integration.clients import ASYNC_SENDERS, CLIENTS, SENDERS, Call, installed
from tests.integration.named_hosts import Answer
from tests.integration.secrets_in_calls import Secret, Trail
from tests.serving import serving

ASKED_FOR = "asked-model-1"
KEY = "rc-Kx4mZp7q-Tn9wLs2vRb6yHd3f"
PROMPT = Secret("prompt", "prm-Gk41VoAe95Iq")
COMPLETION = Secret("completion", "cmp-Hl62WpBf06Jr")
TOOL = Secret("tool arguments", "tol-Im83XqCg17Ks")
ERROR = Secret("error", "err-Jn04YrDh28Lt")
HEADER = Secret("header", "hdr-Ko25ZsEi39Mu")
CANARIES = (PROMPT, COMPLETION, TOOL, ERROR, HEADER)

SHAPES = ("openai", "anthropic", "gemini", "bedrock", "cohere", "replicate")
TOOL_CALL = {"function": {"name": TOOL.text, "arguments": json.dumps({"q": TOOL.text})}}
MESSAGE = {"role": "assistant", "content": COMPLETION.text, "tool_calls": [TOOL_CALL]}
USAGE: dict[str, dict[str, Any]] = {
    "openai": {"usage": {"prompt_tokens": 10, "completion_tokens": 5, COMPLETION.text: 3}},
    "anthropic": {"usage": {"input_tokens": 10, "output_tokens": 5}, "stop_sequence": COMPLETION.text},
    "gemini": {"usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 5}},
    "bedrock": {"usage": {"inputTokens": 10, "outputTokens": 5}},
    "cohere": {"meta": {"billed_units": {"input_tokens": 10, "output_tokens": 5}}},
    "replicate": {"metrics": {"predict_time": 1.5}, "logs": COMPLETION.text},
}
WAYS = ((False, False), (True, False), (True, True))
"""How a body is read: as a whole or piece by piece; left early."""
ODD = {"prompt_tokens": ERROR.text, "completion_tokens": [ERROR.text], "total_tokens": {ERROR.text: 1}}


def whole(shape: str) -> dict[str, Any]:
    """Return an answer with a canary wherever there is text."""
    return {
        "id": COMPLETION.text,
        **({} if shape == "cohere" else {"model": "house-model-1"}),  # that one is asked for
        "choices": [{"message": MESSAGE}],
        "content": [
            {"type": "tool_use", "input": {"q": TOOL.text}},
            {"type": "text", "text": COMPLETION.text},
        ],
        "candidates": [{"content": {"parts": [{"text": COMPLETION.text}]}}],
        "output": COMPLETION.text,
        **USAGE[shape],
    }


def answers(shape: str) -> Iterator[Answer]:
    """Return answers that are right, odd, broken, refused and cut."""
    document = whole(shape)
    text = json.dumps(document).encode()
    headers = {"x-request-id": HEADER.text, "dg-model-name": f"{HEADER.text} of {HEADER.text}"}
    yield Answer(text, headers=headers)
    yield Answer(gzip.compress(text), headers={**headers, "content-encoding": "gzip"})
    yield Answer(gzip.compress(text)[:-9] + ERROR.text.encode(), headers={"content-encoding": "identity"})
    yield Answer(text[:-20], headers=headers)
    yield Answer(json.dumps({**document, "usage": ODD, "meta": ERROR.text}).encode())
    yield Answer(json.dumps({**document, "model": f"a model, {ERROR.text}, of words"}).encode())
    yield Answer(json.dumps([ERROR.text] * 3).encode())
    yield Answer(ERROR.text.encode(), content_type=f"text/plain; name={ERROR.text}")
    for status in (400, 429, 500):
        yield Answer(json.dumps({"error": {"message": ERROR.text}}).encode(), status, headers=headers)
    events = [
        b"data: " + json.dumps(part).encode() + b"\n\n" for part in (document, {"delta": MESSAGE}, document)
    ]
    yield Answer([*events, b"data: [DONE]\n\n"], content_type="text/event-stream")
    yield Answer([*events, b"data: {" + ERROR.text.encode() + b"\n\n"], content_type="text/event-stream")
    yield Answer([text + b"\n", text + b"\n", ERROR.text.encode()], content_type="application/x-ndjson")


ANSWERS = {shape: list(answers(shape)) for shape in SHAPES}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.served += 1  # type: ignore[attr-defined]
        _, shape, number = self.path.split("/")
        found = ANSWERS[shape][int(number)]
        body = found.body if isinstance(found.body, bytes) else b"".join(found.body)
        self.send_response(found.status)
        for name, value in {"content-type": found.content_type, **found.headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle(self) -> None:
        with suppress(ConnectionError):  # a client that leaves early
            super().handle()

    def log_message(self, *args: Any) -> None:
        """Keep quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    served = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


def answering() -> AbstractContextManager[_Server]:
    """Run the server for the length of the block."""
    return serving(_Server(("127.0.0.1", 0), _Handler))


def rules() -> list[recost.ProviderDef]:
    return [
        recost.ProviderDef(
            "127.0.0.1", shape, f"/{shape}", "chat", usage=shape, usd_per_unit={"input_tokens": Decimal(1)}
        )
        for shape in SHAPES
    ]


def bodies() -> list[bytes]:
    """Return requests with a canary wherever there is text, of JSON, forms, and what is none of these."""
    document = {"messages": [{"role": "user", "content": PROMPT.text}], "stream": True}
    others = {"user": PROMPT.text, "metadata": {"model": PROMPT.text}, "model_name": PROMPT.text}
    part = b'\r\ncontent-disposition: form-data; name="%s"\r\n\r\n%s\r\n--b'
    prompt, model = PROMPT.text.encode(), ASKED_FOR.encode()
    return [
        json.dumps({**document, **others, "model": ASKED_FOR}).encode(),
        json.dumps({**document, "model": f"a model, {PROMPT.text}, of words"}).encode(),
        json.dumps({**document, "model": [PROMPT.text], "n": {PROMPT.text: 1}}).encode(),
        json.dumps({**document, "text": PROMPT.text * 9000, "model": ASKED_FOR, "end": others}).encode(),
        json.dumps({**document, "model": ASKED_FOR}).encode()[:-2] + prompt,
        b"--b" + part % (b"prompt", prompt) + part % (b"model", model) + part % (b"file", prompt) + b"--\r\n",
        b"prompt=" + prompt + b"&model=" + model + b"&" + prompt + b"=1",
        prompt,
    ]


def calls(base: str) -> list[Call]:
    sent = bodies()
    return [
        Call(
            "POST",
            f"{base}/{shape}/{number}",
            body=sent[number % len(sent)],
            stream=stream,
            early=early,
            timeout_s=10,
        )
        for shape in SHAPES
        for number in range(len(ANSWERS[shape]))
        for stream, early in (WAYS if shape == "openai" else WAYS[:1])
    ]


def make(client: str, todo: list[Call]) -> None:
    """Make the calls with the client, in each way that it has; what it says of an answer is its own."""
    if client in SENDERS:
        with SENDERS[client]() as send:
            for call in todo:
                _quietly(send, call)
    if client in ASYNC_SENDERS:
        asyncio.run(_make_async(client, todo))


def _quietly(send: Any, call: Call) -> None:
    try:
        send(call)
    except Exception:  # noqa: BLE001
        return


async def _make_async(client: str, todo: list[Call]) -> None:
    async with ASYNC_SENDERS[client]() as send:
        for call in todo:
            try:
                await send(call)
            except Exception:  # noqa: BLE001, PERF203
                continue


@pytest.mark.parametrize("client", CLIENTS)
def test_nothing_of_an_answer_is_in_files_logs_errors_or_reprs(
    client: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    if not installed(client):
        pytest.skip(f"{client} is not installed")
    trail = Trail(CANARIES)
    errors: list[Exception] = []
    caplog.set_level(logging.DEBUG, "recost")
    config = recost.RecostConfig(
        local_dir=tmp_path, capture_usage=True, debug=True, on_error=errors.append, custom_providers=rules()
    )
    with answering() as server, recost.init(config) as handle:
        with recost.track() as spend, recost.tag(tenant="acme"):
            make(client, calls(server.url))
        assert handle.flush_blocking(10)
        look_around(trail, handle, spend)
    trail.add_files(tmp_path)
    say_what_was_said(trail, errors, caplog, capfd)
    found = "".join(text for where, text in trail.texts if where == "file")
    assert '"inputTokens"' in found or '"input"' in found  # it was looked at
    assert ASKED_FOR in found, "requests were looked at"
    assert spend.calls == server.served
    assert trail.found() == set()


def test_nothing_of_an_answer_is_in_posts(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    trail = Trail(CANARIES)
    errors: list[Exception] = []
    caplog.set_level(logging.DEBUG, "recost")
    with Api(key=KEY) as api, answering() as server:
        config = recost.RecostConfig(
            api_key=KEY,
            project_id=api.project,
            base_url=api.url,
            capture_usage=True,
            debug=True,
            on_error=errors.append,
            custom_providers=rules(),
        )
        with recost.init(config) as handle:
            make("urllib.request", calls(server.url))
            assert handle.flush_blocking(10)
            look_around(trail, handle, None)
        assert api.posts
        for post in api.posts:
            trail.add("POST", post.body.decode("latin-1"))
            trail.add("POST's headers", repr(post.headers))
    say_what_was_said(trail, errors, caplog, capfd)
    assert trail.found() == set()


def look_around(trail: Trail, handle: Any, spend: Optional[recost.Spend]) -> None:
    """Add what the process holds while recost runs."""
    trail.add("handle", repr(handle))
    trail.add("spend", repr(spend) + repr(spend and (spend.by_model, spend.by_provider)))
    trail.add_objects()


def say_what_was_said(
    trail: Trail, errors: list[Exception], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Add errors, logs and output."""
    trail.add_errors(errors)
    trail.add_records(record for record in caplog.records if record.name.startswith("recost"))
    trail.add("output", "".join(capfd.readouterr()))
