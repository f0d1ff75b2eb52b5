"""The official SDKs of providers, driven against servers on loopback that speak like the providers.

One file per SDK, named in `SDKS`. It has:

    PACKAGE    what is imported
    HOSTS      the names that the SDK talks to
    EXPECTED   (provider, endpoint, method) and the number of calls and of failed calls
    LEFT       those of them of which some answers are not read to their end, and their paths
    answer()   what the provider says to a request; runs in the test
    use()      makes the calls; runs in a process of its own, with the names mapped to the server
"""

from __future__ import annotations

import importlib
from typing import Any

SDKS = ("openai", "anthropic", "stripe", "boto3", "sendgrid")


def load(name: str) -> Any:
    """Return the file of an SDK."""
    return importlib.import_module(f"tests.integration.sdks.{name}_sdk")
