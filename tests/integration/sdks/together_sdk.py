"""together: chat and completions, embeddings, and a file that goes to an object store; sync and async."""

from __future__ import annotations

import asyncio
import json
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.integration.named_hosts import Answer, Asked
from tests.integration.sdks import on_threads, refuses
from tests.integration.sdks._chat import (
    REPLY,
    SOON,
    chat,
    chunks,
    event_stream,
    prompt,
    refuses_async,
    streamed,
    trouble,
)

PACKAGE = "together"
DISTRIBUTION = "together"
REQUIRES = ("together>=3",)
TRANSPORT = "httpx"
_STORE = "uploads.s3.us-west-2.amazonaws.com"
HOSTS = ("api.together.ai", "api-inference.together.ai", _STORE)
_CHAT, _LEFT, _FILES = "/v1/chat/completions", "/v1/completions", "/v1/files"
EXPECTED = {
    ("together", "chat_completions", "POST"): (55, 7),
    ("together", _LEFT, "POST"): (3, 1),
    ("together", "embeddings", "POST"): (2, 0),
    ("together", _FILES, "POST"): (2, 0),
    ("aws", "/{key}", "PUT"): (2, 0),
    ("together", "/v1/files/{id}/preprocess", "POST"): (2, 0),
}
LEFT = {("together", _LEFT, "POST"): {_LEFT}}

_FILE_ID = "file-7f0e1a2b-3c4d-4e5f-8a9b-0c1d2e3f4a5b"
_FILE = {
    "id": _FILE_ID,
    "object": "file",
    "bytes": 9,
    "created_at": 1,
    "filename": "a.jsonl",
    "purpose": "fine-tune",
}
_UPLOAD = {"Location": f"https://{_STORE}/{_FILE_ID}?X-Amz-Signature=s", "X-Together-File-Id": _FILE_ID}
_LINES = b'{"text": "good day"}\n' * 9000


def answer(asked: Asked) -> Answer:
    """Speak like api.together.ai, and like the object store that takes its files."""
    if asked.host == _STORE:
        return Answer(b"", status=200 if asked.body == _LINES else 400)
    if asked.path == _CHAT:
        return chat(asked, SOON)
    if asked.path == _LEFT:
        return trouble(asked, json.loads(asked.body)["prompt"], SOON) or event_stream(chunks())
    if asked.path == _FILES:
        return Answer(b"", status=302, headers=_UPLOAD)
    if asked.path == "/v1/embeddings":
        vector = {"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}
        return Answer(json.dumps({"object": "list", "model": "m", "data": [vector]}).encode())
    return Answer(json.dumps({**_FILE, "FileType": "jsonl", "LineCount": 9, "Processed": True}).encode())


def _use_sync(file: Path) -> None:
    together: Any = import_module("together")
    with together.Together(api_key="test") as client:
        create = client.chat.completions.create
        for question in ("hello", "busy", "broken"):
            assert create(**prompt(question)).choices[0].message.content == REPLY
        assert streamed(list(create(**prompt("hello", stream=True)))) == REPLY
        with client.completions.create(model="m", prompt="busy", stream=True) as left:
            assert next(iter(left)).choices[0].delta.content == "good "
        assert refuses(lambda: create(**prompt("refuse")), together.BadRequestError).status_code == 400
        impatient = client.with_options(timeout=0.15, max_retries=0)
        refuses(lambda: impatient.chat.completions.create(**prompt("stall")), together.APITimeoutError)
        assert client.embeddings.create(model="m", input="x").data[0].embedding == [0.5, 0.25]
        assert client.files.upload(file, check=False).id == _FILE_ID
        on_threads(lambda: create(**prompt("hello")).choices[0].message.content.index(REPLY))


async def _use_async(file: Path) -> None:
    together: Any = import_module("together")
    async with together.AsyncTogether(api_key="test") as client:
        create = client.chat.completions.create
        whole, events = await asyncio.gather(
            create(**prompt("hello")), create(**prompt("hello", stream=True))
        )
        assert whole.choices[0].message.content == streamed([event async for event in events]) == REPLY
        async with await client.completions.create(model="m", prompt="hello", stream=True) as left:
            assert (await left.__anext__()).choices[0].delta.content == "good "
        for question in ("busy later", "broken later"):
            assert (await create(**prompt(question))).usage.total_tokens == 7
        impatient = client.with_options(timeout=0.15, max_retries=0)
        await refuses_async(impatient.chat.completions.create(**prompt("stall")), together.APITimeoutError)
        assert (await client.embeddings.create(model="m", input="x")).data[0].embedding == [0.5, 0.25]
        assert (await client.files.upload(file, check=False)).id == _FILE_ID


def use() -> None:
    """Make every call."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "a.jsonl"
        file.write_bytes(_LINES)
        _use_sync(file)
        asyncio.run(_use_async(file))
