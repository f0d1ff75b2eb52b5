"""The local files of a ledger: append-only JSON lines, one a bucket and pull. The newest of a bucket wins.

``<local_dir>/ledger/{provider}.{account}.jsonl``, with mode 0600. It is not a cache: some providers forget
after 30 days. A line that was cut short by a kill is removed by the next pull.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any, Callable, Final, Optional, TypeVar

from recost import _files, _folders
from recost._documents import parse_decimal
from recost._validate import invalid
from recost.ledger.model import MAX_COUNT, MAX_NAME, LedgerDay, Row

__all__ = [
    "FOLDER",
    "MALFORMED",
    "LedgerFile",
    "StoredDay",
    "files_of",
    "parse_amount",
    "parse_count",
    "parse_name",
]

FOLDER: Final = "ledger"
"""The folder within the telemetry folder."""
_NAME: Final = re.compile(r"([a-z0-9]{1,40})\.([A-Za-z0-9_-]{1,80})\.jsonl")
_MAX_LINE: Final = 32 << 20
_MAX_FILE: Final = 2 << 30
_LOCKED_WITHIN_S: Final = 10.0
_PIECE: Final = 1 << 20
_MIDNIGHT: Final = "T00:00:00.000Z"
_ROWS: Final = b',"rows":'
_PLAIN: Final = 40
"""Characters of an amount that are converted without a closer look."""
_T = TypeVar("_T")
MALFORMED: Final = (ValueError, KeyError, TypeError, AttributeError, RecursionError, ArithmeticError)
"""The errors of a malformed line."""


@dataclass(frozen=True)
class StoredDay:
    """The newest line of a day, without the rows."""

    day: date
    final: bool
    complete: bool
    pulled_at: str
    digest: bytes
    """SHA-256 of the rows, and of whether they are complete."""
    offset: int
    size: int
    before: Optional[StoredDay] = None
    """The line that this one replaced."""
    restated: bool = False
    """True if the rows have changed since they were first pulled."""

    def behind(self, before: Optional[StoredDay]) -> StoredDay:
        """Return this line as the one that replaced another."""
        restated = before is not None and (before.restated or before.digest != self.digest)
        return replace(self, before=before, restated=restated)


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
        self._days: dict[date, StoredDay] = {}
        self._read_to = 0

    def days(self) -> dict[date, StoredDay]:
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

    def add(self, bucket: LedgerDay, *, final: bool, now: datetime) -> bool:
        """Append a bucket, unless the newest one of its day says the same. Return whether it was appended.

        Raises:
            OSError: The file can't be written.
        """
        _folders.make_folder(self.path.parent, own=True)
        rows = _compact(sorted(map(_row, bucket.rows), key=_compact))  # providers promise no order
        with _files.hold(
            self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, time.monotonic() + _LOCKED_WITHIN_S
        ) as file:
            if file.acquired is False:
                raise _files.UnusableFileError("another process holds its lock")
            self._update(file.fd)
            if os.fstat(file.fd).st_size > self._read_to:  # a line without an end: a process was killed
                os.ftruncate(file.fd, self._read_to)
            known = self._days.get(bucket.day)
            if known is not None and (known.digest, known.final) == (_digest(rows, bucket.complete), final):
                return False
            line = self._line(bucket, final, now, rows)
            if len(line) > _MAX_LINE:
                raise _files.UnusableFileError(
                    f"the rows of {bucket.day} have more than {_MAX_LINE >> 20} MB"
                )
            _append(file.fd, line, self._read_to)
            self._update(file.fd)
        return True

    def _line(self, bucket: LedgerDay, final: bool, now: datetime, rows: bytes) -> bytes:
        content = {
            "provider": self.provider,
            "account": self.account,
            "start": f"{bucket.day.isoformat()}{_MIDNIGHT}",
            "end": f"{(bucket.day + timedelta(days=1)).isoformat()}{_MIDNIGHT}",
            "final": final,
            "complete": bucket.complete,
            "pulledAt": f"{now.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%S}.000Z",
        }
        return _compact(content)[:-1] + _ROWS + rows + b"}\n"

    def newest(self, day: date) -> Optional[StoredDay]:
        """Return what is known of a day since the file was last read or written."""
        return self._days.get(day)

    def touch(self) -> None:
        """Set the time of the file to now: that of the latest pull, which may have changed nothing."""
        os.utime(self.path)

    def rows(self, day: date) -> tuple[Row, ...]:
        """Return the rows of a day in `days`.

        Raises:
            OSError: The file can't be read.
        """
        return self.read(day, lambda rows: tuple(Row(**_values(row)) for row in rows)) or ()

    def read(self, day: date, use: Callable[[list[dict[str, Any]]], _T]) -> Optional[_T]:
        """Return the result of ``use`` on the rows of a day, as they are in the file.

        ``use`` raises an error of `MALFORMED` where they are malformed. Then the line is counted, and the one
        before it is read. None if each line is malformed.

        Raises:
            OSError: The file can't be read.
        """
        stored: Optional[StoredDay] = self._days[day]
        while stored is not None:
            with self.path.open("rb") as file:
                file.seek(stored.offset)
                line = file.read(stored.size)
            try:
                return use(json.loads(_parts(line)[1]))
            except MALFORMED:
                self.bad_lines += 1
                stored = stored.before
        return None

    def _update(self, fd: int) -> None:
        """Read the whole lines that were appended since."""
        if os.fstat(fd).st_size < self._read_to:  # replaced by a shorter one
            self._days.clear()
            self._read_to = self.bad_lines = 0
        for offset, size, line in _lines(fd, self._read_to):
            self._read_to = offset + size
            stored = None if line is None else _stored(line, offset)
            if stored is None:
                self.bad_lines += 1
                continue
            self._days[stored.day] = stored.behind(self._days.get(stored.day))


def files_of(folder: Path) -> list[LedgerFile]:
    """Return the files of a telemetry folder, by provider and account."""
    places = (folder / FOLDER).glob("*.jsonl") if (folder / FOLDER).is_dir() else ()
    names = sorted(found.groups() for path in places if (found := _NAME.fullmatch(path.name)))
    return [LedgerFile(folder, provider, account) for provider, account in names]


def _lines(fd: int, start: int) -> Iterator[tuple[int, int, Optional[bytes]]]:
    """Yield offset, size and text of each whole line behind an offset. The text is None if it is too long."""
    if os.fstat(fd).st_size > _MAX_FILE:
        raise _files.UnusableFileError(f"it has more than {_MAX_FILE >> 30} GB")
    offset, size, parts = start, 0, []
    os.lseek(fd, start, os.SEEK_SET)
    while piece := os.read(fd, _PIECE):
        for part in io.BytesIO(piece):
            size += len(part)
            if size <= _MAX_LINE:
                parts.append(part)
            if part.endswith(b"\n"):
                yield offset, size, b"".join(parts) if size <= _MAX_LINE else None
                offset, size, parts = offset + size, 0, []


def _append(fd: int, data: bytes, size: int) -> None:
    """Append a line. Where the disk is full, nothing of it stays."""
    try:
        _files.write_all(fd, data)
    except OSError:
        os.ftruncate(fd, size)
        raise


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


def _compact(content: Any) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()


def _parts(line: bytes) -> tuple[dict[str, Any], bytes]:
    """Return a line without its rows, and the rows as they are written, at the end of each line."""
    place = line.find(_ROWS)
    if place < 0 or not line.endswith(b"]}\n"):
        raise ValueError("it has no rows at its end")
    head: dict[str, Any] = json.loads(line[:place] + b"}")
    return head, line[place + len(_ROWS) : -2]


def _digest(rows: bytes, complete: bool) -> bytes:
    return hashlib.sha256(rows + bytes([complete])).digest()


def _stored(line: bytes, offset: int) -> Optional[StoredDay]:
    try:
        head, rows = _parts(line)
        day = date.fromisoformat(head["start"][:10])
        final, complete, pulled_at = head["final"], head["complete"], head["pulledAt"]
    except MALFORMED:
        return None
    if not isinstance(final, bool) or not isinstance(complete, bool) or not isinstance(pulled_at, str):
        return None
    return StoredDay(day, final, complete, pulled_at[:30], _digest(rows, complete), offset, len(line))


def _values(row: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a row.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: It is malformed.
    """
    found = {_FIELDS[name]: value for name, value in row.items()}
    if not isinstance(found["basis"], str):
        raise TypeError("malformed basis")
    for name, value in found.items():
        if name in _EXACT:
            found[name] = parse_amount(value)
        elif name == "requests":
            parse_count(value)
        elif name == "tokens":
            for count in value.values():
                parse_count(count)
        else:
            parse_name(value)
    return found


def parse_amount(value: Any) -> Decimal:
    """Return a number, as `parse_decimal` does.

    Raises:
        TypeError, ValueError: It is malformed.
    """
    if not isinstance(value, str):
        raise TypeError("an amount is a text")
    plain = len(value) <= _PLAIN and value.isascii() and value.replace(".", "", 1).isdigit()
    return Decimal(value) if plain else parse_decimal(value)


def parse_name(value: Any) -> str:
    """Return a text.

    Raises:
        TypeError: It is something else, or longer than providers' names may be.
    """
    if not isinstance(value, str) or len(value) > MAX_NAME:
        raise TypeError("a name is a text")
    return value


def parse_count(value: Any) -> int:
    """Return a whole number, 0 or more.

    Raises:
        TypeError: It is something else.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_COUNT:
        raise TypeError("a count is a whole number")
    return value
