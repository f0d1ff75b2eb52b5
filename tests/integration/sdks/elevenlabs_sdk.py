"""elevenlabs: speech streamed, whole and with timestamps, and transcribed; voices; sync and async."""

from __future__ import annotations

import asyncio
import io
import json
from importlib import import_module
from typing import Any

from tests.integration.named_hosts import Answer, Asked
from tests.integration.sdks import on_threads, refuses
from tests.integration.sdks._chat import refuses_async, trouble

PACKAGE = "elevenlabs"
DISTRIBUTION = "elevenlabs"
REQUIRES = ("elevenlabs>=2",)
TRANSPORT = "httpx"
HOSTS = ("api.elevenlabs.io",)
_VOICE = "21m00Tcm4TlvDq8ikWAM"
_SPEECH = "/v1/text-to-speech/{id}"
EXPECTED = {
    ("elevenlabs", "text_to_speech", "POST"): (49, 1),
    ("elevenlabs", "/v1/speech-to-text", "POST"): (2, 0),
    ("elevenlabs", "/v2/voices", "GET"): (11, 6),
}
LEFT = {("elevenlabs", "text_to_speech", "POST"): {f"/v1/text-to-speech/{_VOICE}/stream"}}

_SOUND = [b"mp3" * 100] * 4
_PIECE = json.dumps({"audio_base64": "bXAz", "alignment": None}).encode()
_TEXT = {"language_code": "en", "language_probability": 1.0, "text": "good day", "words": []}


def answer(asked: Asked) -> Answer:
    """Speak like api.elevenlabs.io."""
    if asked.path == "/v2/voices":
        nobody = json.dumps({"voices": [], "has_more": False, "total_count": 0}).encode()
        return trouble(asked, asked.query.get("search", "")) or Answer(nobody)
    if asked.path == "/v1/speech-to-text":
        return Answer(json.dumps(_TEXT).encode())
    if json.loads(asked.body)["text"] == "refuse":
        return Answer(b'{"detail": {"status": "quota_exceeded", "message": "no"}}', 401)
    if asked.path.endswith("/stream/with-timestamps"):
        return Answer([_PIECE + b"\n"] * 3, content_type="text/event-stream")
    if asked.path.endswith("/with-timestamps"):
        return Answer(_PIECE)
    return Answer(_SOUND, content_type="audio/mpeg")


def _use_sync() -> None:
    elevenlabs: Any = import_module("elevenlabs.client")
    failed: Any = import_module("elevenlabs.core").ApiError
    timed_out: Any = import_module("httpx").ReadTimeout
    client = elevenlabs.ElevenLabs(api_key="test")
    speech, search = client.text_to_speech, client.voices.search
    assert b"".join(speech.convert(_VOICE, text="hello")) == b"".join(_SOUND)
    left = speech.stream(_VOICE, text="hello")
    assert next(left)
    left.close()
    assert speech.convert_with_timestamps(_VOICE, text="hello").audio_base_64 == "bXAz"
    pieces = list(speech.stream_with_timestamps(_VOICE, text="hello"))
    assert [piece.audio_base_64 for piece in pieces] == ["bXAz"] * 3
    refused = refuses(lambda: list(speech.convert(_VOICE, text="refuse")), failed)
    assert refused.status_code == 401
    assert client.speech_to_text.convert(model_id="m", file=io.BytesIO(b"RIFF" * 30)).text == "good day"
    for question in ("hello", "busy", "broken"):
        assert search(search=question).total_count == 0
    refuses(lambda: search(search="stall", request_options={"timeout_in_seconds": 0.15}), timed_out)
    on_threads(lambda: b"".join(speech.convert(_VOICE, text="hello")).index(b"mp3"))


async def _use_async() -> None:
    elevenlabs: Any = import_module("elevenlabs.client")
    timed_out: Any = import_module("httpx").ReadTimeout
    client = elevenlabs.AsyncElevenLabs(api_key="test")
    speech, search = client.text_to_speech, client.voices.search

    async def read() -> bytes:
        return b"".join([piece async for piece in speech.convert(_VOICE, text="hello")])

    sound, found = await asyncio.gather(read(), speech.convert_with_timestamps(_VOICE, text="hello"))
    assert sound == b"".join(_SOUND)
    assert found.audio_base_64 == "bXAz"
    left = speech.stream(_VOICE, text="hello")
    assert await left.__anext__()
    await left.aclose()
    pieces = [piece async for piece in speech.stream_with_timestamps(_VOICE, text="hello")]
    assert [piece.audio_base_64 for piece in pieces] == ["bXAz"] * 3
    heard = await client.speech_to_text.convert(model_id="m", file=io.BytesIO(b"RIFF" * 30))
    assert heard.text == "good day"
    for question in ("busy", "broken"):
        assert (await search(search=question)).total_count == 0
    await refuses_async(search(search="stall", request_options={"timeout_in_seconds": 0.15}), timed_out)


def use() -> None:
    """Make every call."""
    http_client: Any = import_module("elevenlabs.core.http_client")
    http_client.INITIAL_RETRY_DELAY_SECONDS = 0.001  # it takes no shorter delay from a header
    _use_sync()
    asyncio.run(_use_async())
