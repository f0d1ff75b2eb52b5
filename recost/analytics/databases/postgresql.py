"""PostgreSQL: connections, the tables, and its SQL for questions. It needs psycopg (``recost[postgresql]``).

``text`` cannot hold U+0000. It is stored as U+FDD0, which Unicode assigns to no character. The encoding uses
six such noncharacters, which are themselves stored as pairs, so that every name comes back as it was. No
second of a pair begins an encoded character, so filters with wildcards match encoded names as they match the
names.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Final, Union

from recost.analytics.databases.url import DatabaseError, StoreUrl, check_number, message_of
from recost.analytics.dialect import Dialect
from recost.analytics.ingest.tables import CENTS, Parts

if TYPE_CHECKING:
    import psycopg

__all__ = [
    "DIALECT",
    "TABLES",
    "VERSION",
    "check_version",
    "connect",
    "decoded",
    "encoded",
    "errors",
]

VERSION: Final = 1
"""The version of the tables."""
_OLDEST: Final = 13
_CONNECT_WITHIN_S: Final = 10
_CENTS: Final = CENTS.replace("DECIMAL", "numeric")
_TEXT: Final = 'text COLLATE "C" NOT NULL'
TABLES: Final = f"""
CREATE TABLE recost.meta (version integer NOT NULL);
CREATE TABLE recost.projects (
    source integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, project {_TEXT} UNIQUE
);
CREATE TABLE recost.window_ids (id bytea PRIMARY KEY, arrived timestamptz NOT NULL);
CREATE INDEX window_ids_arrived ON recost.window_ids USING brin (arrived);
CREATE SEQUENCE recost.window_numbers;
CREATE TABLE recost.windows (
    source integer NOT NULL, started timestamp NOT NULL, environment {_TEXT},
    arrived timestamptz NOT NULL DEFAULT now(),
    number bigint NOT NULL DEFAULT nextval('recost.window_numbers'),
    line bytea NOT NULL
) PARTITION BY RANGE (started);
CREATE INDEX windows_latest ON recost.windows (source, arrived, number);
CREATE INDEX windows_arrived ON recost.windows (arrived);
CREATE TABLE recost.metrics (
    source integer NOT NULL, started timestamp NOT NULL,
    environment {_TEXT}, provider {_TEXT}, endpoint {_TEXT}, method {_TEXT},
    calls bigint NOT NULL, errors bigint NOT NULL,
    latency_ms double precision NOT NULL, p50_ms double precision NOT NULL, p95_ms double precision NOT NULL,
    bytes_up bigint NOT NULL, bytes_down bigint NOT NULL,
    cost {_CENTS} NOT NULL,
    reported {_CENTS} NOT NULL, computed {_CENTS} NOT NULL, estimated {_CENTS} NOT NULL,
    unpriced bigint NOT NULL, uncounted bigint NOT NULL, attempts bigint,
    model_names text[], model_calls bigint[], model_costs {_CENTS}[], model_unpriced bigint[],
    tag_sets jsonb[], tag_others boolean[], tag_calls bigint[], tag_errors bigint[], tag_costs {_CENTS}[],
    tag_unpriced bigint[]
) PARTITION BY RANGE (started);
CREATE INDEX metrics_started ON recost.metrics (started);
CREATE TABLE recost.windows_other PARTITION OF recost.windows DEFAULT;
CREATE TABLE recost.metrics_other PARTITION OF recost.metrics DEFAULT;
"""
"""Metrics and the lines of windows by month. ``other`` has those of months that are far from now."""

_NUL: Final = "\ufdd0"
_FIRSTS: Final = "\ufdd1\ufdd2"
_SECONDS: Final = "\ufdd3\ufdd4\ufdd5"
_PAIRS: Final = dict(
    zip((_NUL, *_FIRSTS, *_SECONDS), (first + second for first in _FIRSTS for second in _SECONDS))
)
_ENCODED: Final = str.maketrans({"\0": _NUL, **_PAIRS})
_DECODED: Final = {encoded: plain for plain, encoded in _PAIRS.items()}
_SPECIAL: Final = frozenset(("\0", *_PAIRS))


def encoded(text: str) -> str:
    """Return a text as PostgreSQL can store it."""
    return text.translate(_ENCODED) if not _SPECIAL.isdisjoint(text) else text


def decoded(text: str) -> str:
    """Return the text that was encoded."""
    if _SPECIAL.isdisjoint(text):
        return text
    found, rest = [], iter(text)
    for character in rest:
        if character in _FIRSTS:
            found.append(_DECODED.get(character + next(rest, ""), character))
        else:
            found.append("\0" if character == _NUL else character)
    return "".join(found)


class _PostgreSql(Dialect):
    """PostgreSQL's SQL over the tables of a collector."""

    parts: ClassVar = {
        "model": Parts(
            "(SELECT * FROM recost.metrics {where}) AS metric, "
            "unnest(model_names, model_calls, model_costs, model_unpriced) "
            "AS part (model, part_calls, part_cost, part_unpriced) WHERE true",
            "",
            {"model": "part.model"},
            {"calls": "part_calls", "cost": "part_cost", "unpriced": "part_unpriced"},
        ),
        "tag": Parts(
            "(SELECT * FROM recost.metrics {where}) AS metric, "
            "unnest(tag_sets, tag_others, tag_calls, tag_errors, tag_costs, tag_unpriced) "
            "AS part (tags, other, part_calls, part_errors, part_cost, part_unpriced) WHERE true",
            "",
            {"tagged": "part.tags", "other": "part.other"},
            {name: f"part_{name}" for name in ("calls", "errors", "cost", "unpriced")},
        ),
    }
    metrics = "recost.metrics"
    windows = "recost.windows"
    projects = "recost.projects"
    real = "double precision"
    whole = "^{}$"
    has_quarters = False

    def line(self, stored: Any) -> bytes:
        return zlib.decompress(stored)

    def bind(self, parameters: list[Any], value: Any) -> str:
        parameters.append(encoded(value))
        return "%s::text"

    def later(self, started: str, microseconds: str) -> str:
        return f"({started} + ({microseconds}) * INTERVAL '1 microsecond')"

    def microseconds(self, started: str) -> str:
        return f"(extract(epoch FROM {started}) * 1000000)::bigint"

    def divided(self, number: str, by: int) -> str:
        return f"{number} / {by}"

    def full_match(self, column: str, expression: str) -> str:
        return f"{column} ~ {expression}"

    def quoted(self, text: str) -> str:
        text = encoded(text)
        return "".join(each if each.isascii() and each.isalnum() else f"\\U{ord(each):08x}" for each in text)

    def tag(self, tags: str, name: str) -> str:
        return f"({tags} ->> {name})"

    def tag_names(self, tags: str) -> str:
        return f"jsonb_object_keys({tags})"


DIALECT: Final = _PostgreSql()


def connect(url: StoreUrl, *, reading: bool) -> psycopg.Connection[Any]:
    """Open a connection.

    Args:
        url: The database.
        reading: True for one snapshot that nothing is written to. Otherwise each statement commits.

    Raises:
        DatabaseError: psycopg is missing, or the database cannot be used.
    """
    try:
        import psycopg  # noqa: PLC0415 - an extra
        from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415
    except ImportError:
        raise DatabaseError("recost: missing psycopg: pip install 'recost[postgresql]'") from None
    try:
        options: dict[str, Any] = {"connect_timeout": _CONNECT_WITHIN_S, "application_name": "recost"}
        options.update(conninfo_to_dict(url.text))
        options["client_encoding"] = "utf8"
        if url.password is not None:
            options["password"] = url.password
        connection = psycopg.connect(autocommit=not reading, prepare_threshold=None, **options)
        try:
            if reading:
                connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                connection.read_only = True
            _check_server(connection)
            _adapt(connection)
        except BaseException:
            connection.close()
            raise
    except psycopg.Error as error:
        raise DatabaseError(f"recost: cannot use {url}: {message_of(error, url)}") from None
    return connection


def errors() -> tuple[type[Exception], ...]:
    """Return the exceptions of psycopg."""
    import psycopg  # noqa: PLC0415 - an extra

    return (psycopg.Error,)


def _check_server(connection: psycopg.Connection[Any]) -> None:
    version = connection.info.server_version // 10_000
    if version < _OLDEST:
        raise DatabaseError(f"recost: PostgreSQL {version} is too old: expected {_OLDEST} or later")
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise DatabaseError(f"recost: invalid encoding {encoding} of the database: expected UTF8")


def check_version(connection: Any, url: StoreUrl) -> bool:
    """Return True if the tables exist.

    Raises:
        DatabaseError: They are of another version, or another program's.
    """
    exists, known = connection.execute(
        # Not to_regclass: it may say what was true before a lock was waited for.
        "SELECT count(*) > 0, coalesce(bool_or(relname = 'meta'), false) "
        "FROM pg_catalog.pg_namespace AS home "
        "LEFT JOIN pg_catalog.pg_class AS made ON relnamespace = home.oid WHERE nspname = 'recost'"
    ).fetchone()
    if not exists:
        return False
    rows = connection.execute("SELECT version FROM recost.meta").fetchall() if known else []
    if len(rows) != 1:
        raise DatabaseError(f"recost: the schema recost in {url} was made by another program")
    check_number(rows[0][0], VERSION, url)
    return True


@functools.lru_cache(maxsize=1)
def _loaders() -> Sequence[tuple[str, Any]]:
    from psycopg.adapt import Loader  # noqa: PLC0415 - an extra

    class Text(Loader):
        """Decode names."""

        def load(self, data: Any) -> str:
            return decoded(bytes(data).decode())

    class Number(Loader):
        """Return integers for sums of integers."""

        def load(self, data: Any) -> Union[int, Decimal]:
            text = bytes(data).decode()
            return Decimal(text) if "." in text else int(text)

    return [("text", Text), ("numeric", Number)]


def _adapt(connection: psycopg.Connection[Any]) -> None:
    for name, loader in _loaders():
        connection.adapters.register_loader(name, loader)
