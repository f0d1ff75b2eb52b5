"""Hosts whose API is OpenAI's and whose prices are not known: tokens are counted, the cost is unknown.

Some have free tiers or plans, others prices by region or by the length of the prompt. A custom rule can give
prices, with ``usage="compatible"`` and ``usd_per_unit``.
"""

from __future__ import annotations

from typing import Final

from recost.pricing.sources import openai_like

__all__ = ["RULES"]

_HOSTS: Final = (
    ("dashscope.aliyuncs.com", "dashscope", "/compatible-mode/v1"),
    ("dashscope-intl.aliyuncs.com", "dashscope", "/compatible-mode/v1"),
    ("dashscope-us.aliyuncs.com", "dashscope", "/compatible-mode/v1"),
    ("*.dashscope.aliyuncs.com", "dashscope", "/compatible-mode/v1"),
    ("*.maas.aliyuncs.com", "dashscope", "/compatible-mode/v1"),
    ("api.deepinfra.com", "deepinfra", "/v1/openai"),
    ("models.github.ai", "github_models", "/inference"),
    ("models.inference.ai.azure.com", "github_models", ""),
    ("api.hyperbolic.xyz", "hyperbolic", "/v1"),
    ("api.studio.nebius.ai", "nebius", "/v1"),
    ("api.studio.nebius.com", "nebius", "/v1"),
    ("api.tokenfactory.nebius.com", "nebius", "/v1"),
    ("integrate.api.nvidia.com", "nvidia", "/v1"),
    ("api.sambanova.ai", "sambanova", "/v1"),
)
"""Host, provider, and base of the paths."""

RULES: Final = (
    *(
        rule
        for host, provider, base in _HOSTS
        for rule in openai_like(host, provider, base, genai_provider=None, usage="compatible")
    ),
    # Keys of this host belong to a plan. Calls with others go to api.mistral.ai.
    *openai_like("codestral.mistral.ai", "mistral", "/v1", genai_provider=None, usage="mistral"),
)
