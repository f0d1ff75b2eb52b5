"""``python -m tests.integration.sdks name port folder before|after``: make the calls of one SDK, recorded.

Leaves in the folder: ``telemetry/`` with recost's windows, ``events.jsonl`` with each recorded call, and
``sdk.json`` with the SDK's version.
"""

from __future__ import annotations

import dataclasses
import gc
import importlib
import importlib.metadata
import json
import os
import sys
from pathlib import Path

from tests.integration.named_hosts import map_names
from tests.integration.sdks import load


def main(name: str, port: str, where: str, when: str) -> None:
    """Use the SDK, imported before or after recost's start."""
    sdk, folder = load(name), Path(where)
    version = importlib.metadata.version(sdk.DISTRIBUTION)
    (folder / "sdk.json").write_text(json.dumps({"version": version, "python": sys.version.split()[0]}))
    map_names(sdk.HOSTS, int(port))
    os.environ.update(getattr(sdk, "ENVIRONMENT", {}))
    if when == "before":
        importlib.import_module(sdk.PACKAGE)
    import recost

    errors: list[Exception] = []
    events: list[recost.RawEvent] = []
    handle = recost.init(local_dir=str(folder / "telemetry"), on_error=errors.append)
    recost.install(events.append)
    try:
        sdk.use()
        gc.collect()  # a stream that broke may be in a cycle with its exception, and end only now
    finally:
        handle.dispose()
        lines = [json.dumps(dataclasses.asdict(event)) for event in events]
        (folder / "events.jsonl").write_text("\n".join(lines))
    assert not errors, errors


main(*sys.argv[1:])
