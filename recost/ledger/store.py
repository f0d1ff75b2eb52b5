"""The local files of a ledger: append-only JSON lines, one a bucket and pull. The newest of a bucket wins.

``<local_dir>/ledger/{provider}.{account}.jsonl``, with mode 0600. It is not a cache: some providers forget
after 30 days. A line that was cut short by a kill is removed by the next pull.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final, Optional

from recost import _files, _folders
from recost._documents import parse_decimal
from recost._validate import invalid
from recost.ledger.model import Bucket, Row

__all__ = ["FOLDER", "LedgerFile", "Stored", "files_of", "read_rows"]

FOLDER: Final = "ledger"
"""The folder within the telemetry folder."""
_NAME: Final = re.compile(r"([a-z0-9]{1,40})\.([A-Za-z0-9_-]{1,80})\.jsonl")
_MAX_LINE: Final = 32 << 20
_MAX_FILE: Final = 2 << 30
_LOCKED_WITHIN_S: Final = 10.0
_PIECE: Final = 1 << 20
_MIDNIGHT: Final = "T00:00:00.000Z"


@dataclass(frozen=True)
class Stored:
    """The newest line of a day, without the rows."""

    day: date
    final: bool
    complete: bool
    pulled_at: str
    digest: bytes
    """SHA-256 of the rows, and of whether they are complete."""
    versions: int = 1
    """1, and how often the rows have changed."""
    offset: int = 0
    size: int = 0


class LedgerFile:
    """The file of one provider and account.

    Args:
        folder: The telemetry folder.
        provider: The name of the provider.
        account: The account: letters, digits, ``-`` and ``_``.
    """

    def __init__(self, folder: Path, provider: str, account: str) -> None:
        self.provider = provider
        self.account = account
        self.path = folder / FOLDER / f"{provider}.{account}.jsonl"
        if not _NAME.fullmatch(self.path.name):
            raise invalid("account", account, "letters, digits, '-' and '_', at most 80")
        self.bad_lines = 0
        self._days: dict[date, Stored] = {}
        self._read_to = 0

    def days(self) -> dict[date, Stored]:
        """Return what is known of each day.

        Raises:
            OSError: The file can't be read.
        """
        try:
            fd = _files.open_private(self.path, os.O_RDONLY)
        except FileNotFoundError:
            return {}
        try:
            self._update(fd)
        finally:
            os.close(fd)
        return dict(self._days)

    def add(self, bucket: Bucket, *, final: bool, now: datetime) -> bool:
        """Append a bucket, unless the newest one of its day says the same. Return whether it was appended.

        Raises:
            OSError: The file can't be written.
        """
        _folders.make_folder(self.path.parent, own=True)
        content = _content(self.provider, self.account, bucket, final)
        with _files.hold(
            self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, time.monotonic() + _LOCKED_WITHIN_S
        ) as file:
            if file.acquired is False:
                raise _files.UnusableFileError("another process holds its lock")
            self._update(file.fd)
            if os.fstat(file.fd).st_size > self._read_to:  # a line without an end: a process was killed
                os.ftruncate(file.fd, self._read_to)
            known = self._days.get(bucket.day)
            if known is not None and (known.digest, known.final) == (_digest(content), final):
                return False
            content["pulledAt"] = f"{now.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%S}.000Z"
            _write_all(file.fd, json.dumps(content, separators=(",", ":")).encode() + b"\n", self._read_to)
            self._update(file.fd)
        return True

    def touch(self) -> None:
        """Set the time of the file to now: that of the latest pull, which may have changed nothing."""
        os.utime(self.path)

    def rows(self, day: date) -> tuple[Row, ...]:
        """Return the rows of a day in `days`.

        Raises:
            OSError: The file can't be read.
            ValueError: The line has changed.
        """
        known = self._days[day]
        with self.path.open("rb") as file:
            file.seek(known.offset)
            return tuple(read_rows(json.loads(file.read(known.size))))

    def _update(self, fd: int) -> None:
        """Read the whole lines that were appended since."""
        if os.fstat(fd).st_size < self._read_to:  # replaced by a shorter one
            self._days.clear()
            self._read_to = self.bad_lines = 0
        for offset, line in _lines(fd, self._read_to):
            self._read_to = offset + len(line)
            stored = _stored(line, offset)
            if stored is None:
                self.bad_lines += 1
                continue
            before = self._days.get(stored.day)
            if before is not None:
                versions = before.versions + (before.digest != stored.digest)
                stored = replace(stored, versions=versions)
            self._days[stored.day] = stored


def files_of(folder: Path) -> list[LedgerFile]:
    """Return the files of a telemetry folder, by provider and account."""
    places = (folder / FOLDER).glob("*.jsonl") if (folder / FOLDER).is_dir() else ()
    names = sorted(found.groups() for path in places if (found := _NAME.fullmatch(path.name)))
    return [LedgerFile(folder, provider, account) for provider, account in names]


def _lines(fd: int, start: int) -> Iterator[tuple[int, bytes]]:
    """Yield each whole line behind an offset, with its own offset."""
    if os.fstat(fd).st_size > _MAX_FILE:
        raise _files.UnusableFileError(f"it has more than {_MAX_FILE >> 30} GB")
    offset, rest = start, b""
    os.lseek(fd, start, os.SEEK_SET)
    while piece := os.read(fd, _PIECE):
        *whole, last = piece.split(b"\n")
        for each in whole:
            line = rest + each + b"\n"
            rest = b""
            yield offset, line
            offset += len(line)
        rest += last
        if len(rest) > _MAX_LINE:
            raise _files.UnusableFileError(f"a line has more than {_MAX_LINE >> 20} MB")


def _write_all(fd: int, data: bytes, size: int) -> None:
    """Append a line. Where the disk is full, nothing of it stays."""
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(fd, view) :]
    except OSError:
        os.ftruncate(fd, size)
        raise


def _content(provider: str, account: str, bucket: Bucket, final: bool) -> dict[str, Any]:
    # Providers promise no order.
    rows = sorted((_row(row) for row in bucket.rows), key=lambda row: json.dumps(row, sort_keys=True))
    return {
        "provider": provider,
        "account": account,
        "start": f"{bucket.day.isoformat()}{_MIDNIGHT}",
        "end": f"{(bucket.day + timedelta(days=1)).isoformat()}{_MIDNIGHT}",
        "final": final,
        "complete": bucket.complete,
        "rows": rows,
    }


_NAMES: Final = {
    "key_id": "keyId", "key_name": "keyName", "list_amount": "listAmount",
}  # fmt: skip
_FIELDS: Final = {_NAMES.get(name, name): name for name in Row.__dataclass_fields__}
_EXACT: Final = frozenset({"quantity", "amount", "list_amount"})


def _row(row: Row) -> dict[str, Any]:
    """Return a row for JSON, without what the provider does not say. Amounts are texts."""
    found = asdict(row)
    return {
        name: str(found[field]) if field in _EXACT else found[field]
        for name, field in _FIELDS.items()
        if found[field] is not None and found[field] != {}
    }


def _digest(content: dict[str, Any]) -> bytes:
    compared = [content["complete"], content["rows"]]
    return hashlib.sha256(json.dumps(compared, sort_keys=True).encode()).digest()


def _stored(line: bytes, offset: int) -> Optional[Stored]:
    try:
        content = json.loads(line)
        day = date.fromisoformat(content["start"][:10])
        final, complete, pulled_at = content["final"], content["complete"], content["pulledAt"]
        if not isinstance(final, bool) or not isinstance(complete, bool) or not isinstance(pulled_at, str):
            return None
        for _ in read_rows(content):
            pass
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, ArithmeticError):
        return None
    return Stored(day, final, complete, pulled_at[:30], _digest(content), offset=offset, size=len(line))


def read_rows(content: Any) -> Iterator[Row]:
    """Yield the rows of a line.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: The line is malformed.
    """
    for row in content["rows"]:
        yield Row(**{_FIELDS[name]: _value(_FIELDS[name], value) for name, value in row.items()})


def _value(field: str, value: Any) -> Any:
    if field in _EXACT and isinstance(value, str):
        return parse_decimal(value)
    if field == "requests" and _is_count(value):
        return value
    if field == "tokens" and isinstance(value, dict) and all(map(_is_count, value.values())):
        return value
    if field not in {*_EXACT, "requests", "tokens"} and isinstance(value, str):
        return value
    raise TypeError(f"malformed {field}")


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
