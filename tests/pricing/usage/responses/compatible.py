"""Responses of providers whose interface is OpenAI's, with what they cost worked out by hand."""

from __future__ import annotations

from typing import Any, Optional

from tests.pricing.usage.responses.build import (
    CHAT,
    SMALL,
    SSE,
    TEXT,
    Sample,
    chat,
    chunk,
    ending,
    plain,
    sse,
    used,
)

__all__ = ["BY_HAND", "HOSTS", "SAMPLES", "UNKNOWN"]

HOSTS = {
    "arcee": "api.arcee.ai",
    "avian": "api.avian.io",
    "azure serverless": "phi-4-abc.eastus2.models.ai.azure.com",
    "azure project": "res.services.ai.azure.com",
    "baseten": "inference.baseten.co",
    "cloudflare gateway": "gateway.ai.cloudflare.com",
    "codestral": "codestral.mistral.ai",
    "dashscope": "dashscope-intl.aliyuncs.com",
    "dashscope workspace": "ws-1.ap-southeast-1.maas.aliyuncs.com",
    "deepinfra": "api.deepinfra.com",
    "github models": "models.github.ai",
    "github models on azure": "models.inference.ai.azure.com",
    "hyperbolic": "api.hyperbolic.xyz",
    "meta": "api.meta.ai",
    "minimax": "api.minimax.io",
    "nebius": "api.studio.nebius.com",
    "novita": "api.novita.ai",
    "nvidia": "integrate.api.nvidia.com",
    "ovhcloud": "oai.endpoints.kepler.ai.cloud.ovh.net",
    "sambanova": "api.sambanova.ai",
    "zhipuai": "open.bigmodel.cn",
}
"""By the provider in the name of a sample."""
BY_HAND: dict[str, str] = {}
"""US dollars by the name of the sample."""
UNKNOWN: list[str] = []
"""Names of samples whose tokens are known and whose price is not."""
SAMPLES: list[Sample] = []


def _add(sample: Sample, usd: Optional[str]) -> None:
    SAMPLES.append(sample)
    if usd is None:
        UNKNOWN.append(sample.name)
    else:
        BY_HAND[sample.name] = usd


def _tokens(taken: int, made: int, cached: int = 0, **more: Any) -> dict[str, Any]:
    details = {"prompt_tokens_details": {"cached_tokens": cached}} if cached else {}
    return {
        "prompt_tokens": taken,
        "completion_tokens": made,
        "total_tokens": taken + made,
        **details,
        **more,
    }


_MINIMAX: dict[str, Any] = {
    "input_sensitive": False,
    "output_sensitive": False,
    "base_resp": {"status_code": 0, "status_msg": ""},
}
# 26 at $0.30 and 223 at $1.20 a million.
_add(
    Sample(
        "minimax: chat",
        "compatible",
        CHAT,
        plain(
            chat(
                "MiniMax-M2",
                _tokens(26, 223, total_characters=0, completion_tokens_details={"reasoning_tokens": 214}),
                **_MINIMAX,
            )
        ),
        used("MiniMax-M2", input_tokens=26, output_tokens=223, reasoning_tokens=214),
    ),
    "0.0002754",
)
# 20 at $0.30 and 30 at $1.20.
_add(
    Sample(
        "minimax: stream",
        "compatible",
        CHAT,
        sse(
            chunk("MiniMax-M2", "Hi"),
            {**ending("MiniMax-M2", None), "object": "chat.completion", "usage": SMALL, **_MINIMAX},
            done=False,
        ),
        used("MiniMax-M2", input_tokens=20, output_tokens=30),
        SSE,
    ),
    "0.000042",
)
# 58 at $0.30, 1,000 from the cache at $0.03, and 210 at $1.20.
_add(
    Sample(
        "minimax: message",
        "compatible",
        "/anthropic/v1/messages",
        plain(
            {
                "id": "05a3",
                "type": "message",
                "role": "assistant",
                "model": "MiniMax-M2",
                "content": [{"type": "thinking", "thinking": TEXT, "signature": "x"}],
                "usage": {
                    "input_tokens": 58,
                    "output_tokens": 210,
                    "cache_creation_input_tokens": 0,
                    "cache_read_input_tokens": 1000,
                },
                "stop_reason": "end_turn",
                "base_resp": {"status_code": 0, "status_msg": ""},
            }
        ),
        used("MiniMax-M2", input_tokens=1058, output_tokens=210, cache_read_tokens=1000),
    ),
    "0.0002994",
)
# 11 at $0.07 and 25 at $0.28, twice.
_add(
    Sample(
        "novita: chat",
        "compatible",
        "/openai/v1/chat/completions",
        plain(
            chat(
                "baidu/ernie-4.5-21B-a3b",
                _tokens(11, 25, prompt_tokens_details=None, completion_tokens_details=None),
                system_fingerprint="",
            )
        ),
        used("baidu/ernie-4.5-21B-a3b", input_tokens=11, output_tokens=25),
    ),
    "0.00000777",
)
_add(
    Sample(
        "novita: stream by the earlier path",
        "compatible",
        "/v3/openai/chat/completions",
        sse(
            chunk("baidu/ernie-4.5-21B-a3b", "Hi", usage=None),
            chunk("baidu/ernie-4.5-21B-a3b", usage=_tokens(11, 25)),
        ),
        used("baidu/ernie-4.5-21B-a3b", input_tokens=11, output_tokens=25),
        SSE,
    ),
    "0.00000777",
)
# 60 at $0.276, 40 from the cache at $0.055, 50 at $1.103.
_add(
    Sample(
        "zhipuai: chat",
        "zai",
        "/api/paas/v4/chat/completions",
        plain(chat("glm-4.7", _tokens(100, 50, 40), request_id="20251122")),
        used("glm-4.7", input_tokens=100, cache_read_tokens=40, output_tokens=50),
    ),
    "0.00007391",
)
for _provider in ("zhipuai", "zai"):
    _add(
        Sample(
            f"{_provider}: chat within a plan for coding",
            "zai",
            "/api/coding/paas/v4/chat/completions",
            plain(chat("glm-4.7", SMALL, request_id="20251122")),
            used("glm-4.7", input_tokens=20, output_tokens=30),
        ),
        None,
    )
# 14 at $1.74 and 46 at $3.48.
_add(
    Sample(
        "baseten: chat",
        "compatible",
        CHAT,
        plain(
            chat(
                "deepseek-ai/DeepSeek-V4-Pro",
                _tokens(14, 46, prompt_tokens_details={"audio_tokens": 0, "cached_tokens": 0}),
                prompt_logprobs=None,
            )
        ),
        used("deepseek-ai/DeepSeek-V4-Pro", input_tokens=14, output_tokens=46),
    ),
    "0.00018444",
)
# 43 and 12 at $0.74.
_add(
    Sample(
        "ovhcloud: chat",
        "compatible",
        CHAT,
        plain(chat("Meta-Llama-3_3-70B-Instruct", _tokens(43, 12), service_tier=None)),
        used("Meta-Llama-3_3-70B-Instruct", input_tokens=43, output_tokens=12),
    ),
    "0.0000407",
)
# 10 at $1.74 and 20 at $3.48.
_add(
    Sample(
        "arcee: chat",
        "compatible",
        "/api/v1/chat/completions",
        plain(chat("deepseek/deepseek-v4-pro", _tokens(10, 20))),
        used("deepseek/deepseek-v4-pro", input_tokens=10, output_tokens=20),
    ),
    "0.000087",
)
# 20 and 30 at $0.45.
_add(
    Sample(
        "avian: stream",
        "compatible",
        CHAT,
        sse(
            chunk("Meta-Llama-3.3-70B-Instruct", "Hi"),
            ending("Meta-Llama-3.3-70B-Instruct", SMALL),
        ),
        used("Meta-Llama-3.3-70B-Instruct", input_tokens=20, output_tokens=30),
        SSE,
    ),
    "0.0000225",
)
# 80 at $1.25, 20 from the cache at $0.15, 50 at $4.25.
_add(
    Sample(
        "meta: chat",
        "compatible",
        CHAT,
        plain(chat("muse-spark-1.1", _tokens(100, 50, 20))),
        used("muse-spark-1.1", input_tokens=100, cache_read_tokens=20, output_tokens=50),
    ),
    "0.0003155",
)
# 200 at $1.25, 60 at $4.25, and a search at $2.50 a thousand.
_add(
    Sample(
        "meta: response that searched",
        "compatible",
        "/v1/responses",
        plain(
            {
                "id": "resp_1",
                "object": "response",
                "model": "muse-spark-1.1",
                "status": "completed",
                "output": [
                    {
                        "id": "ws_1",
                        "type": "web_search_call",
                        "status": "completed",
                        "action": {"type": "search", "query": "x"},
                    },
                    {
                        "id": "msg_1",
                        "type": "message",
                        "role": "assistant",
                        "content": [{"type": "output_text", "text": TEXT}],
                    },
                ],
                "usage": {"input_tokens": 200, "output_tokens": 60, "total_tokens": 260},
            }
        ),
        used("muse-spark-1.1", input_tokens=200, output_tokens=60, web_searches=1),
    ),
    "0.003005",
)
# 1,000 at $0.125 and 100 at $0.50.
_add(
    Sample(
        "azure serverless: chat",
        "azure",
        CHAT,
        plain(chat("phi-4", _tokens(1000, 100), service_tier=None)),
        used("phi-4", input_tokens=1000, output_tokens=100),
    ),
    "0.000175",
)
# 1,000 at $0.15 and 100 at $0.60.
_add(
    Sample(
        "azure project: response",
        "azure",
        "/api/projects/p/openai/v1/responses",
        plain(
            {
                "id": "resp_2",
                "object": "response",
                "model": "gpt-4o-mini-2024-07-18",
                "status": "completed",
                "background": False,
                "output": [],
                "tools": [],
                "usage": {"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100},
            }
        ),
        used("gpt-4o-mini-2024-07-18", input_tokens=1000, output_tokens=100),
    ),
    "0.00021",
)
for _name, _path in (
    ("thread", "/api/projects/p/threads"),
    ("message", "/api/projects/p/threads/thread_1/messages"),
    ("thread that is changed", "/api/projects/p/threads/thread_1"),
    ("file", "/api/projects/p/openai/v1/files"),
):
    _add(
        Sample(f"azure project: {_name}", "azure", _path, plain({"id": "x_1", "object": "x"}), None),
        "0",
    )
# 20 at $0.15 and 30 at $0.60, 20 at $0.10 and 30 at $0.40.
for _slug, _model, _usd in (
    ("openai", "gpt-4o-mini-2024-07-18", "0.000021"),
    ("google-ai-studio", "gemini-2.0-flash", "0.000014"),
):
    _add(
        Sample(
            f"cloudflare gateway: chat of {_slug}",
            "cloudflare_compat",
            "/v1/acc/gw/compat/chat/completions",
            plain(chat(_model, SMALL)),
            used(_model, served_by=_slug, input_tokens=20, output_tokens=30),
            headers={"cf-aig-provider": _slug},
        ),
        _usd,
    )

# Tokens are known, prices are not.
_NVIDIA = "meta/llama-3.3-70b-instruct"
for _sample in (
    Sample(
        "sambanova: chat",
        "compatible",
        CHAT,
        plain(
            chat(
                "Meta-Llama-3.3-70B-Instruct",
                {
                    "acceptance_rate": 6.5,
                    "completion_tokens": 30,
                    "completion_tokens_after_first_per_sec": 448.1,
                    "is_last_response": True,
                    "prompt_tokens": 20,
                    "prompt_tokens_details": {"cached_tokens": 0},
                    "start_time": 1763000000.0,
                    "time_to_first_token": 0.05,
                    "total_latency": 0.1,
                    "total_tokens": 50,
                    "total_tokens_per_sec": 500.0,
                },
            )
        ),
        used("Meta-Llama-3.3-70B-Instruct", input_tokens=20, output_tokens=30),
    ),
    Sample(
        "sambanova: stream",
        "compatible",
        CHAT,
        sse(
            chunk("gpt-oss-120b", "Hi"),
            chunk("gpt-oss-120b", usage={**SMALL, "is_last_response": True, "total_latency": 0.1}),
        ),
        used("gpt-oss-120b", input_tokens=20, output_tokens=30),
        SSE,
    ),
    Sample(
        "nvidia: chat",
        "compatible",
        CHAT,
        plain(chat(_NVIDIA, SMALL, prompt_logprobs=None)),
        used(_NVIDIA, input_tokens=20, output_tokens=30),
    ),
    Sample(
        "nvidia: embeddings",
        "compatible",
        "/v1/embeddings",
        plain(
            {
                "object": "list",
                "data": [{"index": 0, "embedding": [0.1], "object": "embedding"}],
                "model": "nvidia/nv-embedqa-e5-v5",
                "usage": {"prompt_tokens": 8, "total_tokens": 8},
            }
        ),
        used("nvidia/nv-embedqa-e5-v5", input_tokens=8),
    ),
    Sample(
        "dashscope: chat",
        "compatible",
        "/compatible-mode/v1/chat/completions",
        plain(chat("qwen-plus", _tokens(3019, 104, 2048), system_fingerprint=None)),
        used("qwen-plus", input_tokens=3019, cache_read_tokens=2048, output_tokens=104),
    ),
    Sample(
        "dashscope: generation",
        "compatible",
        "/api/v1/services/aigc/text-generation/generation",
        plain(
            {
                "status_code": 200,
                "request_id": "902f",
                "output": {"choices": [{"finish_reason": "stop", "message": {"content": TEXT}}]},
                "usage": {"input_tokens": 22, "output_tokens": 17, "total_tokens": 39},
            }
        ),
        used(input_tokens=22, output_tokens=17),
    ),
    Sample(
        "dashscope workspace: stream",
        "compatible",
        "/compatible-mode/v1/chat/completions",
        sse(chunk("qwen-plus", "Hi", usage=None), chunk("qwen-plus", usage=SMALL)),
        used("qwen-plus", input_tokens=20, output_tokens=30),
        SSE,
    ),
    Sample(
        "github models: chat",
        "compatible",
        "/inference/chat/completions",
        plain(chat("gpt-4.1-2025-04-14", SMALL, prompt_filter_results=[])),
        used("gpt-4.1-2025-04-14", input_tokens=20, output_tokens=30),
    ),
    Sample(
        "github models on azure: chat",
        "compatible",
        "/chat/completions",
        plain(chat("gpt-4o-mini-2024-07-18", SMALL)),
        used("gpt-4o-mini-2024-07-18", input_tokens=20, output_tokens=30),
    ),
    Sample(
        "codestral: completion in the middle",
        "mistral",
        "/v1/fim/completions",
        plain(chat("codestral-latest", SMALL)),
        used("codestral-latest", input_tokens=20, output_tokens=30),
    ),
    Sample(
        "deepinfra: chat",
        "compatible",
        "/v1/openai/chat/completions",
        plain(chat("meta-llama/Meta-Llama-3.1-8B-Instruct", {**SMALL, "estimated_cost": 0.0000024})),
        used("meta-llama/Meta-Llama-3.1-8B-Instruct", input_tokens=20, output_tokens=30),
    ),
    Sample(
        "hyperbolic: chat",
        "compatible",
        CHAT,
        plain(chat("Qwen/Qwen2.5-72B-Instruct", SMALL)),
        used("Qwen/Qwen2.5-72B-Instruct", input_tokens=20, output_tokens=30),
    ),
    Sample(
        "nebius: chat",
        "compatible",
        CHAT,
        plain(chat("meta-llama/Llama-3.3-70B-Instruct-fast", SMALL, service_tier=None)),
        used("meta-llama/Llama-3.3-70B-Instruct-fast", input_tokens=20, output_tokens=30),
    ),
):
    _add(_sample, None)
