"""Model that a path names if responses don't: Bedrock, Azure, Vertex, Cloudflare, Databricks."""

from __future__ import annotations

import re
from typing import Final, Optional

__all__ = ["model_in_path", "single_slashes"]

_LONGEST: Final = 200
_PATTERNS: Final = (
    r"/model/([^/]+)/(?:invoke|converse)",  # Bedrock: a model id, or the ARN of an inference profile
    r"/openai/deployments/([^/]+)",  # Azure: the name of a deployment, often that of its model
    r"/models/([^/:]+):[A-Za-z]",  # Gemini and Vertex
    r"/ai/run/(.+)",  # Cloudflare: @cf/meta/llama-3.1-8b-instruct
    r"/serving-endpoints/([^/]+)/invocations",  # Databricks
)


def single_slashes(path: str) -> str:
    """Return a path without empty segments, because servers accept ``//openai/…`` as well."""
    return re.sub("//+", "/", path) if "//" in path else path


def model_in_path(path: str) -> Optional[str]:
    """Return the model that the path of a request names, or None."""
    for pattern in _PATTERNS:
        found = re.search(pattern, path)
        if found is not None:
            return _clean(found[1], whole=found[1].startswith(("@", "%40")))
    return None


def _clean(quoted: str, *, whole: bool) -> Optional[str]:
    """Return a model's name, without the account's number that an ARN has."""
    from urllib.parse import unquote  # noqa: PLC0415 - slow to import

    name = unquote(quoted)
    if not whole:
        name = name.rpartition("/")[2]
    return name if name and len(name) <= _LONGEST and name.isprintable() else None
