"""The kinds of destinations: how each is made from the settings. A new one is a row in `DESTINATIONS`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Final, Optional

from recost.config import Settings
from recost.delivery.outbox import Outbox
from recost.delivery.transports.base import Transport
from recost.lifecycle.reporting import Reporter, StderrLines

if TYPE_CHECKING:
    from recost.delivery.pace import Pace
    from recost.delivery.spool import Spool

__all__ = ["DESTINATIONS", "Destination"]

_MAX_FRAMES: Final = 1000
_MAX_FRAME_BYTES: Final = 8 * 1024 * 1024
_MAX_SERIES_WINDOWS: Final = 4
"""Each is one export of all sums."""
_MAX_SERIES_BYTES: Final = 8 * 1024 * 1024


def _file(settings: Settings, report: Reporter) -> Transport:  # noqa: ARG001
    from recost.delivery.transports.file import FileTransport  # noqa: PLC0415 - only what is used is imported

    return FileTransport(
        settings.local_dir,
        settings.project_id or "default",
        max_bytes=settings.local_max_bytes,
        backups=settings.local_backups,
        own_directory=settings.origins["local_dir"] == "default",
    )


def _websocket(settings: Settings, report: Reporter) -> Transport:  # noqa: ARG001
    from recost.delivery.transports.websocket import WebSocketTransport  # noqa: PLC0415

    return WebSocketTransport(settings.local_port)


def _cloud(settings: Settings, report: Reporter) -> Transport:
    from recost.delivery.transports.cloud import CloudTransport  # noqa: PLC0415

    return CloudTransport(
        settings.base_url,
        settings.project_id or "",
        settings.api_key or "",
        max_retries=settings.max_retries,
        max_consecutive_auth_failures=settings.max_consecutive_auth_failures,
        max_metrics=settings.max_buckets,
        stderr=StderrLines(report),
    )


def _otlp(settings: Settings, report: Reporter) -> Transport:
    from recost.delivery.transports.otlp.transport import OtlpTransport  # noqa: PLC0415

    return OtlpTransport(
        settings.project_id or "",
        settings.environment,
        max_series=settings.otlp_max_series,
        semconv=settings.otlp_semconv,
        report=report,
    )


def _series(share: int) -> Outbox:
    return Outbox(max_windows=_MAX_SERIES_WINDOWS, max_bytes=_MAX_SERIES_BYTES // share)


def _frames(share: int) -> Outbox:
    return Outbox(max_windows=_MAX_FRAMES, max_bytes=_MAX_FRAME_BYTES // share, merge=False)


class Destination:
    """A kind of destination.

    Args:
        make: Returns its transport.
        address: Returns what its spool is named after. None for one that is never out of reach: no spool.
        outbox: Returns its queue, given the number of destinations that share the memory.
        spooled: False for one that can't drop a window which a second process sends again. It has no spool.
        limited: It limits the POSTs of a project in an hour.
    """

    def __init__(
        self,
        make: Callable[[Settings, Reporter], Transport],
        address: Optional[Callable[[Settings], str]] = None,
        outbox: Callable[[int], Outbox] = Outbox.usual,
        *,
        spooled: bool = True,
        limited: bool = False,
    ) -> None:
        self.make = make
        self.address = address
        self.outbox = outbox
        self.spooled = spooled
        self.limited = limited

    def spool(self, settings: Settings, report: Reporter) -> Optional[Spool]:
        """Return the spool for what does not reach it."""
        if self.address is None or not self.spooled:
            return None
        from recost.delivery.spool import Spool  # noqa: PLC0415 - only what is used is imported

        return Spool(**self._place(settings, self.address), report=report)

    def pace(self, settings: Settings, report: Reporter) -> Optional[Pace]:
        """Return the pace of POSTs that the processes of a project share. None where they are not limited."""
        if self.address is None or not self.limited:
            return None
        from recost.delivery.pace import Pace  # noqa: PLC0415 - only what is used is imported

        return Pace(**self._place(settings, self.address), report=report)

    @staticmethod
    def _place(settings: Settings, address: Callable[[Settings], str]) -> dict[str, Any]:
        """Return where the files of a destination are, and what they are named after."""
        return {
            "folder": str(settings.local_dir),
            "project": settings.project_id or "default",
            "destination": address(settings),
            "own_folder": settings.origins["local_dir"] == "default",
        }


DESTINATIONS: Final[dict[str, Destination]] = {
    "file": Destination(_file),
    "ws": Destination(_websocket, lambda settings: f"ws {settings.local_port}", _frames),
    "cloud": Destination(_cloud, lambda settings: f"cloud {settings.base_url}", limited=True),
    "otlp": Destination(_otlp, lambda settings: "otlp", _series, spooled=False),  # noqa: ARG005
}
"""Every kind of `recost.delivery.kinds`, by name."""
