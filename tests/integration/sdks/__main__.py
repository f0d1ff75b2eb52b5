"""``python -m tests.integration.sdks name port folder before|after``: make the calls of one SDK, recorded."""

from __future__ import annotations

import importlib
import sys

from tests.integration.named_hosts import map_names
from tests.integration.sdks import load


def main(name: str, port: str, folder: str, when: str) -> None:
    """Use the SDK, imported before or after recost's start."""
    sdk = load(name)
    map_names(sdk.HOSTS, int(port))
    if when == "before":
        importlib.import_module(sdk.PACKAGE)
    import recost

    errors: list[Exception] = []
    handle = recost.init(local_dir=folder, on_error=errors.append)
    sdk.use()
    handle.dispose()
    assert not errors, errors


main(*sys.argv[1:])
