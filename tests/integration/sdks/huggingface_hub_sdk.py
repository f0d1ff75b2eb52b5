"""huggingface_hub: chat through the router, and files of the Hub down and up; sync and async."""

from __future__ import annotations

import asyncio
import io
import json
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.integration.named_hosts import Answer, Asked
from tests.integration.sdks import on_threads, refuses
from tests.integration.sdks._chat import REPLY, chat, prompt, refuses_async, streamed

PACKAGE = "huggingface_hub"
DISTRIBUTION = "huggingface-hub"
REQUIRES = ("huggingface-hub>=2",)
TRANSPORT = "httpx2"
_HUB, _ROUTER, _CDN = HOSTS = ("huggingface.co", "router.huggingface.co", "cdn-lfs.huggingface.co")
_CHAT, _LEFT = "/v1/chat/completions", "/novita/v1/chat/completions"
EXPECTED = {
    ("huggingface", _CHAT, "POST"): (47, 3),
    ("huggingface", _LEFT, "POST"): (2, 0),
    ("unknown", "/api/models/o/m", "GET"): (2, 0),
    ("unknown", "/api/models/o/busy", "GET"): (2, 1),
    ("unknown", "/api/models/o/broken", "GET"): (2, 1),
    ("unknown", "/o/m/resolve/main/weights.bin", "HEAD"): (1, 0),
    ("unknown", "/repos/{id}/{id}/weights.bin", "GET"): (1, 0),
    ("unknown", "/api/models/o/m/preupload/main", "POST"): (1, 0),
    ("unknown", "/api/models/o/m/commit/main", "POST"): (1, 0),
}
LEFT = {("huggingface", _LEFT, "POST"): {_LEFT}}

_ELSEWHERE = f"https://{_ROUTER}/novita"
_FILE = b"weights " * 500
_ABOUT = {
    "ETag": '"5d41402abc4b2a76b9719d911017c592"',
    "X-Repo-Commit": "7fd1a60b01f91b314f59955a4e4d4e80d8edf11d",
    "X-Linked-Size": str(len(_FILE)),
    "Location": f"https://{_CDN}/repos/8a/2b/weights.bin?Signature=s",
}


def answer(asked: Asked) -> Answer:
    """Speak like the Hub, its router of inference, and its file servers."""
    if asked.host == _ROUTER:
        return chat(asked)
    if asked.host == _CDN:
        return Answer(_FILE, content_type="application/octet-stream")
    if "/resolve/" in asked.path:
        return Answer(b"", 302, headers=_ABOUT)
    if asked.path.endswith("/preupload/main"):
        names = [file["path"] for file in json.loads(asked.body)["files"]]
        modes = [
            {"path": name, "uploadMode": "regular", "shouldIgnore": False, "oid": None} for name in names
        ]
        return Answer(json.dumps({"files": modes}).encode())
    if asked.path.endswith("/commit/main"):
        commit = {"commitUrl": f"https://{_HUB}/o/m/commit/7fd1a60", "commitOid": "7fd1a60", "success": True}
        return Answer(json.dumps({**commit, "hookOutput": ""}).encode())
    name = asked.path.rpartition("/")[2]
    status = {"busy": 429, "broken": 500}.get(name)
    if status is not None and asked.repeats % 2 == 0:
        return Answer(b'{"error": "later"}', status)
    return Answer(
        json.dumps({"id": f"o/{name}", "modelId": f"o/{name}", "tags": [], "siblings": []}).encode()
    )


def _use_sync(folder: str) -> None:
    hub: Any = import_module("huggingface_hub")
    http: Any = import_module("huggingface_hub.utils")
    ask = {"model": "o/m", "token": "hf_test"}
    with hub.InferenceClient(**ask) as client:
        create = client.chat_completion
        messages = prompt("hello")["messages"]
        assert create(messages).choices[0].message.content == REPLY
        assert streamed(list(create(messages, stream=True))) == REPLY
        refused = refuses(lambda: create(prompt("refuse")["messages"]), hub.errors.BadRequestError)
        assert refused.response.status_code == 400
        on_threads(lambda: create(messages).choices[0].message.content.index(REPLY))
    with hub.InferenceClient(base_url=_ELSEWHERE, token="hf_test") as client:
        assert next(iter(client.chat_completion(messages, stream=True))).choices[0].delta.content == "good "
    with hub.InferenceClient(**ask, timeout=1) as client:  # to connect, too
        stall = prompt("stall")["messages"]
        refuses(lambda: client.chat_completion(stall), hub.errors.InferenceTimeoutError)
    api = hub.HfApi(token="hf_test")
    assert api.model_info("o/m").id == "o/m"
    for name in ("busy", "broken"):
        url = f"https://{_HUB}/api/models/o/{name}"
        assert http.http_backoff("GET", url, base_wait_time=0.01).json()["id"] == f"o/{name}"
    down = hub.hf_hub_download("o/m", "weights.bin", cache_dir=folder, token="hf_test")
    assert Path(down).read_bytes() == _FILE
    up = api.upload_file(path_or_fileobj=io.BytesIO(b"text"), path_in_repo="a.txt", repo_id="o/m")
    assert up.oid == "7fd1a60"
    assert api.run_as_future(api.model_info, "o/m").result(30).id == "o/m"


async def _use_async() -> None:
    hub: Any = import_module("huggingface_hub")
    ask = {"model": "o/m", "token": "hf_test"}
    messages = prompt("hello")["messages"]
    async with hub.AsyncInferenceClient(**ask) as client:
        create = client.chat_completion
        whole, events = await asyncio.gather(create(messages), create(messages, stream=True))
        assert whole.choices[0].message.content == REPLY
        assert streamed([event async for event in events]) == REPLY
    async with hub.AsyncInferenceClient(base_url=_ELSEWHERE, token="hf_test") as client:
        left = await client.chat_completion(messages, stream=True)
        assert (await left.__anext__()).choices[0].delta.content == "good "
    async with hub.AsyncInferenceClient(**ask, timeout=1) as client:  # to connect, too
        stall = client.chat_completion(prompt("stall")["messages"])
        await refuses_async(stall, hub.errors.InferenceTimeoutError)


def use() -> None:
    """Make every call."""
    # Else it asks the Hub which coding agents there are, for the user-agent header.
    import_module("huggingface_hub.constants").HF_HUB_DISABLE_TELEMETRY = True  # type: ignore[attr-defined]
    with tempfile.TemporaryDirectory() as folder:
        _use_sync(folder)
    asyncio.run(_use_async())
