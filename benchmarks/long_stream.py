"""What metering holds of a long stream: the highest memory of a process that reads one, without and with it.

Run as a program, with a client, a mode and a size, it reads such a stream and prints its memory. Linux only.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import tempfile
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from payload import BODY

__all__ = ["measure", "table"]

_TOKENS: Final = 12_345
_PIECE: Final = 64 * 1024
"""Bytes of a chunk: some hundred events."""


def measure(chosen: list[str], megabytes: int) -> list[dict[str, Any]]:
    """Return the highest memory, in megabytes, bare and metered, and what the stream is said to have cost."""
    from programs import one_line, start  # noqa: PLC0415 - not in the processes that are measured

    results = []
    for client in chosen:
        found: dict[str, Any] = {"client": client, "megabytes": megabytes}
        for mode in ("bare", "metered"):
            for size in (1, megabytes):
                with start("long_stream", client, mode, size) as process:
                    highest, cost = one_line(process).split()
                found[f"{mode}_{'short' if size == 1 else 'long'}_mb"] = float(highest)
        results.append({**found, "cost_usd": cost})
    return results


def table(results: list[dict[str, Any]]) -> list[list[str]]:
    """Return the rows of the table, the head first."""
    rows = [["client", "stream", "bare", "metered", "metering adds", "and grows by", "cost"]]
    for found in results:
        added = found["metered_long_mb"] - found["bare_long_mb"]
        grown = found["metered_long_mb"] - found["metered_short_mb"]
        bare_grown = found["bare_long_mb"] - found["bare_short_mb"]
        rows.append(
            [
                found["client"],
                f"{found['megabytes']:,} MB",
                f"{found['bare_long_mb']:.1f} MB",
                f"{found['metered_long_mb']:.1f} MB",
                f"{added:+.1f} MB",
                f"{grown - bare_grown:+.1f} MB",
                f"${found['cost_usd']}",
            ]
        )
    return rows


def _event(**fields: Any) -> bytes:
    return b"data: " + json.dumps({"id": "chatcmpl-1", "model": "house-1", **fields}).encode() + b"\n\n"


def _serve(listener: socket.socket, size: int) -> None:
    """Respond to one request with a stream of that many megabytes, the usage in the last event."""
    delta = _event(choices=[{"index": 0, "delta": {"content": "y" * 60}}], usage=None)
    piece = delta * (_PIECE // len(delta))
    usage = {"prompt_tokens": _TOKENS, "completion_tokens": 0, "total_tokens": _TOKENS}
    last = _event(choices=[], usage=usage) + b"data: [DONE]\n\n"
    connection, _ = listener.accept()
    with connection:
        received = b""
        while not received.endswith(BODY):
            received += connection.recv(65536)
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        chunk = b"%x\r\n%s\r\n" % (len(piece), piece)
        for _ in range(size * 1024 * 1024 // len(piece)):
            connection.sendall(chunk)
        connection.sendall(b"%x\r\n%s\r\n0\r\n\r\n" % (len(last), last))


def _start_recost(folder: str) -> Any:
    import recost  # noqa: PLC0415 - not where it is not to be

    price = {"input_tokens": Decimal("0.000001")}
    rule = recost.ProviderDef("127.0.0.1", "house", usage="openai", usd_per_unit=price)
    return recost.init(local_dir=folder, capture_usage=True, custom_providers=[rule])


def main(client: str, mode: str, size: int) -> None:
    """Read one stream, and print the highest memory and the cost."""
    import clients  # noqa: PLC0415 - not in the process that compares
    from memory import megabytes  # noqa: PLC0415

    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_serve, args=(listener, size), daemon=True).start()
    cost: Any = 0
    with tempfile.TemporaryDirectory() as folder:
        handle = _start_recost(folder) if mode == "metered" else None
        clients.make(client, listener.getsockname()[1], stream=True)(1)
        if handle is not None:
            handle.dispose()
            (line,) = Path(folder, "default.jsonl").read_text("utf-8").splitlines()
            (metric,) = json.loads(line)["metrics"]
            cost = Decimal(str(metric["estimatedCostCents"])) / 100
            if cost != _TOKENS * Decimal("0.000001"):
                raise RuntimeError(f"the stream is said to have cost ${cost}")
    print(megabytes("VmHWM"), cost, flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
