"""Responses of AssemblyAI, Deepgram, ElevenLabs, Replicate, Twilio, DeepL and Stripe."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.pricing.usage.responses.build import TEXT, plain, sample, used


def _message(**more: Any) -> bytes:
    return plain(
        {
            "account_sid": "AC1",
            "body": TEXT,
            "direction": "outbound-api",
            "error_code": None,
            "num_media": "0",
            "price": None,
            "price_unit": "USD",
            "sid": "SM1",
            "status": "queued",
            "to": "+15558675310",
            **more,
        }
    )


def _prediction(status: str, metrics: Any, **more: Any) -> bytes:
    return plain(
        {
            "id": "1",
            "model": "black-forest-labs/flux-schnell",
            "version": "hidden",
            "input": {"prompt": TEXT},
            "logs": TEXT,
            "output": None,
            "error": None,
            "status": status,
            "created_at": "2025-01-01T00:00:00Z",
            "metrics": metrics,
            "urls": {"get": "https://api.replicate.com/v1/predictions/1"},
            **more,
        }
    )


MEDIA = [
    sample(
        "assemblyai: transcript that is queued",
        "/v2/transcript",
        {"id": "1", "status": "queued", "audio_duration": None, "speech_model": "best"},
        None,
    ),
    sample(
        "assemblyai: transcript",
        "/v2/transcript/1",
        {
            "id": "1",
            "status": "completed",
            "text": TEXT,
            "words": [{"text": "a", "start": 1, "end": 2}],
            "audio_duration": 281,
            "speech_model": "universal",
        },
        used("universal", seconds=281),
    ),
    sample(
        "deepgram: transcription",
        "/v1/listen",
        {
            "metadata": {
                "request_id": "1",
                "duration": 25.933313,
                "channels": 1,
                "models": ["u"],
                "model_info": {"u": {"name": "general-nova-3", "version": "2025", "arch": "nova-3"}},
            },
            "results": {"channels": [{"alternatives": [{"transcript": TEXT}]}]},
        },
        used("nova-3", seconds=Decimal("25.933313")),
    ),
    sample(
        "deepgram: transcription of two channels",
        "/v1/listen",
        {
            "metadata": {"duration": 60.0, "channels": 2, "model_info": {"u": {"arch": "nova-2"}}},
            "results": {},
        },
        used("nova-2", seconds=60, channels=2),
    ),
    sample(
        "deepgram: speech",
        "/v1/speak",
        b"\xff\xfb\x90d\x00\x0f",
        used("aura-2-thalia-en", characters=38),
        "audio/mpeg",
        {"dg-char-count": "38", "dg-model-name": "aura-2-thalia-en"},
    ),
    sample(
        "elevenlabs: speech",
        "/v1/text-to-speech/JBFqnCBsd6RMkjVDRZzb",
        b"ID3\x04\x00",
        used(characters=42),
        "audio/mpeg",
        {"character-cost": "42"},
    ),
    sample(
        "elevenlabs: speech, streamed",
        "/v1/text-to-speech/JBFqnCBsd6RMkjVDRZzb/stream",
        b"ID3\x04\x00",
        used(characters=17),
        "audio/mpeg",
        {"x-character-count": "17"},
    ),
    sample(
        "elevenlabs: list of voices",
        "/v2/voices",
        {"voices": [], "has_more": False},
        None,
    ),
    sample(
        "replicate: prediction",
        "/v1/predictions",
        _prediction("succeeded", {"predict_time": 0.650342, "total_time": 0.6665, "image_count": 1}),
        used("black-forest-labs/flux-schnell", seconds=Decimal("0.650342"), images=1),
    ),
    sample(
        "replicate: prediction of a language model",
        "/v1/models/meta/meta-llama-3-70b-instruct/predictions",
        _prediction(
            "succeeded",
            {
                "input_token_count": 30,
                "output_token_count": 512,
                "predict_time": 7.5,
                "tokens_per_second": 68.1,
            },
            model="meta/meta-llama-3-70b-instruct",
        ),
        used("meta/meta-llama-3-70b-instruct", input_tokens=30, output_tokens=512, seconds=Decimal("7.5")),
    ),
    sample(
        "replicate: prediction that was started",
        "/v1/predictions",
        _prediction("starting", {}),
        None,
    ),
    sample(
        "replicate: prediction that goes on",
        "/v1/predictions/1",
        _prediction("processing", {"predict_time": 2.5}),
        used("black-forest-labs/flux-schnell", partial=True, seconds=Decimal("2.5")),
    ),
]

MESSAGES = [
    sample(
        "twilio: message",
        "/2010-04-01/Accounts/AC1/Messages.json",
        _message(num_segments="1"),
        used(segments=1),
        shape="twilio_sms",
    ),
    sample(
        "twilio: long message",
        "/2010-04-01/Accounts/AC1/Messages.json",
        _message(num_segments="4"),
        used(segments=4),
        shape="twilio_sms",
    ),
    sample(
        "twilio: message that is not split yet",
        "/2010-04-01/Accounts/AC1/Messages.json",
        _message(num_segments="0", status="accepted"),
        None,
        shape="twilio_sms",
    ),
    sample(
        "twilio: error",
        "/2010-04-01/Accounts/AC1/Messages.json",
        {"code": 21211, "message": TEXT, "status": 400},
        None,
        shape="twilio_sms",
    ),
    sample(
        "deepl: translation",
        "/v2/translate",
        {
            "translations": [
                {"detected_source_language": "EN", "text": TEXT, "billed_characters": 42},
                {"text": TEXT, "billed_characters": 8},
            ]
        },
        used(characters=50),
    ),
    sample(
        "deepl: translation that counts nothing",
        "/v2/translate",
        {"translations": [{"detected_source_language": "EN", "text": TEXT}]},
        None,
    ),
]

_CHARGE = {
    "id": "ch_3MmlLrLkdIwHu7ix0snN0B15",
    "object": "charge",
    "amount": 1099,
    "amount_captured": 1099,
    "amount_refunded": 0,
    "application_fee_amount": None,
    "captured": True,
    "currency": "usd",
    "description": TEXT,
    "metadata": {"amount": "7"},
    "paid": True,
    "status": "succeeded",
}
_INTENT = {
    "id": "pi_3MtwBwLkdIwHu7ix28a3tqPa",
    "object": "payment_intent",
    "amount": 2000,
    "amount_capturable": 0,
    "amount_received": 2000,
    "currency": "eur",
    "latest_charge": "ch_1",
    "metadata": {},
    "status": "succeeded",
}

STRIPE = [
    sample("stripe: charge", "/v1/charges", plain(_CHARGE, indent=2), used(amount_usd=1099)),
    sample(
        "stripe: charge, captured in part",
        "/v1/charges/ch_1/capture",
        {**_CHARGE, "amount_captured": 500},
        used(amount_usd=500),
    ),
    sample(
        "stripe: charge to be captured",
        "/v1/charges",
        {**_CHARGE, "amount_captured": 0, "captured": False},
        None,
    ),
    sample(
        "stripe: charge that failed",
        "/v1/charges",
        {**_CHARGE, "paid": False, "status": "failed"},
        None,
    ),
    sample("stripe: payment", "/v1/payment_intents", _INTENT, used(amount_eur=2000)),
    sample(
        "stripe: payment that needs an action",
        "/v1/payment_intents",
        {**_INTENT, "amount_received": 0, "status": "requires_action"},
        None,
    ),
    sample(
        "stripe: payment in yen",
        "/v1/payment_intents/pi_1/confirm",
        {**_INTENT, "currency": "jpy"},
        used(amount_jpy=2000),
    ),
    sample(
        "stripe: list of charges",
        "/v1/charges",
        {"object": "list", "url": "/v1/charges", "has_more": False, "data": [_CHARGE]},
        None,
    ),
    sample(
        "stripe: customer",
        "/v1/customers",
        {"id": "cus_1", "object": "customer", "currency": "usd", "balance": 0},
        None,
    ),
]

SAMPLES = [*MEDIA, *MESSAGES, *STRIPE]
