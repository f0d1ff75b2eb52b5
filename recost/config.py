"""The settings. An argument overrides the environment, which overrides the default.

Each setting is declared once, as a field of `RecostConfig`: its default, what it accepts, and how it is read
from the environment variable ``RECOST_`` + its name in upper case. `resolve` returns `Settings`.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Callable, Final, Literal, Optional, Union

from recost import checks
from recost._validate import InvalidError, suggest

if TYPE_CHECKING:
    from dataclasses import Field, dataclass, field, fields

    from recost.budgets.model import Budget
    from recost.pricing.model import ProviderDef
else:
    from recost._fields import dataclass, field, fields

__all__ = [
    "LocalTransportMode",
    "Origin",
    "RecostConfig",
    "Settings",
    "TransportMode",
    "explicit",
    "overlay",
    "resolve",
    "resolve_one",
    "variable",
    "variables",
]

TransportMode = Literal["local", "cloud"]
LocalTransportMode = Literal["file", "ws"]
Origin = Literal["argument", "environment", "default"]

_TWINS: Final = frozenset({"flush_interval", "flush_interval_ms"})
"""Two names of one setting: where one is given, the other is not looked for any further."""


def _rule(check: checks.Check, read: Optional[checks.Reader]) -> dict[str, Any]:
    """Return the metadata of a field. ``read`` is None for a setting without environment variable."""
    return {"check": check, "read": read}


@dataclass
class RecostConfig:
    """Settings for `recost.init` and the framework integrations. Each is optional.

    An attribute that was not given shows its default, but the environment comes before that. None is the same
    as not given. Values are checked when they are used: by ``init()``, which raises ValueError.
    """

    api_key: Optional[str] = field(default=None, metadata=_rule(checks.api_key, checks.read_text))
    """``rc-…``. Without it, summaries stay on this machine (local mode)."""
    project_id: Optional[str] = field(default=None, metadata=_rule(checks.project_id, checks.read_text))
    """Required in cloud mode. Names the local file, so it can't end in ``.1``, be a device of Windows
    (``con``), or contain characters that Windows refuses."""
    environment: str = field(default="development", metadata=_rule(checks.label, checks.read_text))
    """A tag on all telemetry."""
    flush_interval_ms: int = field(
        default=30_000, metadata=_rule(checks.whole(1, unit=" of milliseconds"), checks.read_number)
    )
    """Milliseconds between automatic flushes."""
    flush_interval: Optional[float] = field(default=None, metadata=_rule(checks.seconds, checks.read_number))
    """Deprecated: seconds between automatic flushes. Overrides ``flush_interval_ms``."""
    max_batch_size: int = field(default=100, metadata=_rule(checks.whole(1), checks.read_number))
    """Number of calls that triggers an early flush."""
    max_buckets: int = field(default=2000, metadata=_rule(checks.whole(1), checks.read_number))
    """Unique (provider, endpoint, method) triplets in a window. The next one triggers an early flush."""
    local_port: int = field(default=9847, metadata=_rule(checks.whole(1, 65_535), checks.read_number))
    """Port of 127.0.0.1 that summaries are sent to with ``local_transport="ws"``."""
    local_transport: LocalTransportMode = field(
        default="file", metadata=_rule(checks.local_transport, checks.read_text)
    )
    """Destination in local mode: ``"file"``, or ``"ws"`` for frames to ``ws://127.0.0.1:{local_port}``
    (``pip install "recost[local]"``)."""
    debug: bool = field(default=False, metadata=_rule(checks.boolean, checks.read_switch))
    """Log each capture and each flush to the logger ``recost``, which prints to stderr by default."""
    enabled: bool = field(default=True, metadata=_rule(checks.boolean, checks.read_switch))
    """False: nothing is patched, no thread runs, the handle does nothing."""
    custom_providers: Sequence[ProviderDef] = field(
        default_factory=list, metadata=_rule(checks.providers, None)
    )
    """Rules (``ProviderDef``) that come before the built-in ones. Not from the environment."""
    exclude_patterns: Sequence[str] = field(
        default_factory=list, metadata=_rule(checks.patterns, checks.read_names)
    )
    """Substrings, without wildcards. A call whose URL or host contains one of them is not recorded."""
    exclude_hosts: Sequence[str] = field(
        default_factory=list, metadata=_rule(checks.hosts, checks.read_names)
    )
    """Exact host names. A call to one of them is not recorded."""
    base_url: str = field(default="https://api.recost.dev", metadata=_rule(checks.base_url, checks.read_text))
    """The API, for self-hosted deployments. Over ``http://`` the key is readable on the way: for loopback and
    private networks only."""
    max_retries: int = field(default=3, metadata=_rule(checks.whole(0), checks.read_number))
    """Retries of one failed POST before it waits for the next flush."""
    shutdown_flush_timeout_ms: int = field(
        default=3000, metadata=_rule(checks.whole(0, unit=" of milliseconds"), checks.read_number)
    )
    """Bound on the final flush, in milliseconds."""
    max_consecutive_auth_failures: int = field(default=5, metadata=_rule(checks.whole(1), checks.read_number))
    """401s in a row that suspend sending to the API."""
    auto_shutdown_handlers: bool = field(default=True, metadata=_rule(checks.boolean, checks.read_switch))
    """Flush when the interpreter ends."""
    on_error: Optional[Callable[[Exception], Any]] = field(
        default=None, metadata=_rule(checks.callback, None)
    )
    """Called with each of recost's own errors, on any thread. Without it, the first error of each kind is
    logged by the logger ``recost`` as a warning. Not from the environment."""
    local_dir: Union[str, os.PathLike[str]] = field(
        default="~/.recost/local-telemetry", metadata=_rule(checks.folder, checks.read_text)
    )
    """Folder of the local file."""
    local_max_bytes: int = field(
        default=67_108_864, metadata=_rule(checks.whole(1, 2**63 - 1, " of bytes"), checks.read_number)
    )
    """Size in bytes at which the local file is rotated."""
    local_backups: int = field(default=3, metadata=_rule(checks.whole(0), checks.read_number))
    """Number of rotated files that are kept. ``{project}.1.jsonl`` is the newest."""
    template_paths: bool = field(default=True, metadata=_rule(checks.boolean, checks.read_switch))
    """Replace identifiers in paths by ``{id}``, where no rule names the endpoint."""

    capture_usage: bool = field(default=False, metadata=_rule(checks.boolean, checks.read_switch))
    """Read the numbers that responses report about themselves (tokens, cost, model), for exact costs."""
    max_tag_sets: int = field(default=100, metadata=_rule(checks.whole(1), checks.read_number))
    """Sets of tags that a window keeps apart. Calls with other sets are counted under ``other``."""
    providers_file: Optional[Union[str, os.PathLike[str]]] = field(
        default=None, metadata=_rule(checks.file, checks.read_text)
    )
    """TOML or JSON file of rules, after ``custom_providers`` and before the built-in ones."""
    budgets: Sequence[Budget] = field(default_factory=list, metadata=_rule(checks.budgets, None))
    """Limits on what calls may cost. Not from the environment."""
    flush_on_sigterm: bool = field(default=False, metadata=_rule(checks.boolean, checks.read_switch))
    """Install a handler of SIGTERM that flushes, within ``shutdown_flush_timeout_ms``, and then calls the
    earlier handler or ends the process, which leaves the rest to the spool."""
    read_requests: bool = field(default=True, metadata=_rule(checks.boolean, checks.read_switch))
    """With ``capture_usage``: read the model, and other fields that a price depends on, from requests whose
    responses don't name them, and nothing else."""
    prices_file: Optional[Union[str, os.PathLike[str]]] = field(
        default=None, metadata=_rule(checks.file, checks.read_text)
    )
    """List of the prices of tokens, used whatever its age. Without it, ``~/.recost/prices.json`` is used if
    it exists and is at least as new as the list of genai-prices."""
    transports: Optional[Sequence[str]] = field(
        default=None, metadata=_rule(checks.transports, checks.read_names)
    )
    """Destinations, each with a queue, retries and a thread of its own: ``"file"``, ``"ws"``, ``"cloud"``,
    ``"otlp"``. Overrides ``local_transport``. Without it there is one: the API with an ``api_key``, else
    ``local_transport``."""
    otlp_tags: Sequence[str] = field(
        default_factory=list, metadata=_rule(checks.tag_names, checks.read_names)
    )
    """With ``"otlp"``: names of the tags that are attributes of metrics. Others are left out."""
    otlp_max_series: int = field(default=2000, metadata=_rule(checks.whole(1, 100_000), checks.read_number))
    """With ``"otlp"``: sets of attributes of each metric. The rest is counted under ``other``."""
    otlp_semconv: Literal["classic", "inference"] = field(
        default="classic", metadata=_rule(checks.otlp_semconv, checks.read_text)
    )
    """With ``"otlp"``: conventions for calls to models, ``"classic"`` (1.36) or ``"inference"`` (later)."""
    key_labels: Optional[Union[Mapping[str, str], str, os.PathLike[str]]] = field(
        default=None, metadata=_rule(checks.key_labels, checks.read_labels)
    )
    """Labels of API keys by ``"sha256:…"``, or a JSON file of them: values of the tag ``key`` of calls."""

    def __new__(cls, *args: Any, **kwargs: Any) -> RecostConfig:  # noqa: PYI034 - Self is from Python 3.11 on
        """Note which settings the caller gives: ``__init__`` can't distinguish them from defaults."""
        self = super().__new__(cls)
        names = [setting.name for setting in fields(RecostConfig)]
        vars(self)["_arguments"] = frozenset(names[: len(args)]) | frozenset(kwargs)
        return self

    def __post_init__(self) -> None:
        given = vars(self).pop("_arguments")
        for setting in fields(RecostConfig):
            if vars(self)[setting.name] is None:
                vars(self)[setting.name] = _default(setting)
                given -= {setting.name}
        vars(self)["_given"] = given

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if "_given" in vars(self):  # else __init__ is at work
            vars(self)["_given"] |= {name}

    def given(self) -> dict[str, Any]:
        """Return the settings that were given here, which the environment does not override."""
        found = {setting.name: getattr(self, setting.name) for setting in fields(RecostConfig)}
        noted = vars(self).get("_given", frozenset())
        # A list may have been filled in place.
        filled = {name for name, value in found.items() if isinstance(value, list) and value}
        return {name: found[name] for name in found if found[name] is not None and name in noted | filled}

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={checks.shown(name, value)}" for name, value in self.given().items())
        return f"{type(self).__name__}({shown})"


class Settings(RecostConfig):
    """All settings, checked and resolved by `resolve`. Lists are tuples, ``local_dir`` is absolute."""

    origins: Mapping[str, Origin]
    """Source of each value."""

    @classmethod
    def of(cls, values: Mapping[str, Any], origins: Mapping[str, Origin]) -> Settings:
        """Return settings of values that have been checked."""
        self = object.__new__(cls)
        vars(self).update(values, _given=frozenset(values), origins=origins)
        return self

    def changed(self, **values: Any) -> Settings:
        """Return the settings with other values, which must be valid."""
        kept = {setting.name: getattr(self, setting.name) for setting in fields(RecostConfig)}
        return Settings.of({**kept, **values}, self.origins)

    @property
    def mode(self) -> TransportMode:
        """``"cloud"`` where summaries go to the API, else ``"local"``."""
        return "cloud" if "cloud" in self.kinds else "local"

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of the destinations of the summaries. At least one."""
        if self.transports is not None:
            return tuple(self.transports)
        return (self.local_transport if self.api_key is None else "cloud",)

    @property
    def transport(self) -> str:
        """Kind of the first destination."""
        return self.kinds[0]

    @property
    def flush_interval_s(self) -> float:
        """Seconds between automatic flushes."""
        return self.flush_interval_ms / 1000

    def __setattr__(self, name: str, value: Any) -> None:
        raise _frozen(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> None:
        raise _frozen(f"cannot delete field {name!r}")


def _frozen(message: str) -> AttributeError:
    from dataclasses import FrozenInstanceError  # noqa: PLC0415 - slow to import

    return FrozenInstanceError(message)


def variable(name: str) -> str:
    """Return the name of a setting's environment variable."""
    return f"RECOST_{name.upper()}"


def variables() -> set[str]:
    """Return the environment variables of all settings that can be set by one."""
    return {variable(each.name) for each in fields(RecostConfig) if each.metadata["read"] is not None}


def overlay(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Merge layers of settings. The last layer that has a setting wins."""
    merged: dict[str, Any] = {}
    for layer in layers:
        given = {name: value for name, value in layer.items() if value is not None}
        if not _TWINS.isdisjoint(given):
            merged = {name: value for name, value in merged.items() if name not in _TWINS}
        merged.update(given)
    return merged


def explicit(config: Optional[RecostConfig], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings given in code. ``options`` override those of ``config``.

    Raises:
        ValueError: ``config`` is not a `RecostConfig`, or an option is unknown.
    """
    if config is not None and not isinstance(config, RecostConfig):
        raise ValueError(f"recost: config: got a {type(config).__name__}, expected a recost.RecostConfig")
    names = [setting.name for setting in fields(RecostConfig)]
    for name in options:
        if name not in names:
            raise ValueError(f"recost: invalid option {name!r}: {suggest(name, names)}")
    return overlay({} if config is None else config.given(), options)


def resolve(
    config: Optional[RecostConfig], options: Mapping[str, Any], environ: Optional[Mapping[str, str]] = None
) -> Settings:
    """Resolve every setting. ``options`` override ``config``, the environment and defaults, in this order.

    Args:
        config: The first argument of `recost.init`.
        options: The settings given by name.
        environ: ``os.environ`` by default. An empty variable counts as not set.

    Raises:
        ValueError: A value is not valid, or an option unknown. The message names the setting, what was given
            (an API key as its first 8 characters at most) and what is expected.
    """
    in_code = explicit(config, options)
    if isinstance(config, Settings) and not options:
        return config
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    for setting in fields(RecostConfig):
        given, origins[setting.name] = _look_up(setting, in_code, environ)
        values[setting.name] = _checked(setting, given, origins[setting.name])
    _convert_interval(values, origins)
    settings = Settings.of(values, origins)
    if settings.mode == "cloud":
        checks.for_cloud(values)
    return settings


def resolve_one(name: str, environ: Optional[Mapping[str, str]] = None) -> Any:
    """Resolve one setting from the environment or its default. The others are not checked.

    Raises:
        ValueError: Its value is not valid.
    """
    setting = next(each for each in fields(RecostConfig) if each.name == name)
    given, origin = _look_up(setting, {}, os.environ if environ is None else environ)
    return _checked(setting, given, origin)


def _look_up(
    setting: Field[Any], in_code: Mapping[str, Any], environ: Mapping[str, str]
) -> tuple[Any, Origin]:
    name, read = setting.name, setting.metadata["read"]
    if name in in_code:
        return in_code[name], "argument"
    text = environ.get(variable(name), "").strip()
    if text and read is not None and (name not in _TWINS or _TWINS.isdisjoint(in_code)):
        return read(text), "environment"
    return _default(setting), "default"


def _default(setting: Field[Any]) -> Any:
    return setting.make_default()  # type: ignore[attr-defined]


def _checked(setting: Field[Any], given: Any, origin: Origin) -> Any:
    if given is None or (setting.name == "base_url" and origin == "default"):
        return given  # the default URL is right, and checking it is slow the first time
    try:
        return setting.metadata["check"](given)
    except InvalidError as error:
        place = f" (from {variable(setting.name)})" if origin == "environment" else ""
        shown = checks.shown(setting.name, given if error.given is None else error.given)
        raise ValueError(f"recost: {setting.name}{place}: got {shown}, expected {error.expected}") from None


def _convert_interval(values: dict[str, Any], origins: dict[str, Origin]) -> None:
    """Turn the deprecated seconds into milliseconds."""
    seconds = values["flush_interval"]
    if seconds is None:
        return
    warnings.warn(
        "recost: flush_interval is deprecated; use flush_interval_ms, in milliseconds",
        DeprecationWarning,
        stacklevel=callers_level(),
    )
    values.update(flush_interval=None, flush_interval_ms=max(round(seconds * 1000), 1))
    origins["flush_interval_ms"] = origins["flush_interval"]


def warn_of_plain_http(settings: Settings) -> None:
    """Warn if the API key would be sent over a network without encryption.

    Raises:
        RuntimeWarning: The application turns warnings into errors.
    """
    if settings.mode == "cloud" and checks.is_readable_on_the_way(settings.base_url):
        warnings.warn(
            f"recost: base_url: {checks.shown('base_url', settings.base_url)} is not encrypted, so anybody "
            "on the way can read the API key: use https://",
            RuntimeWarning,
            stacklevel=callers_level(),
        )


def callers_level() -> int:
    """Return the ``stacklevel``, seen from the caller, of the first frame outside this package."""
    level, frame = 1, sys._getframe(1)  # noqa: SLF001 - the documented way to look at one's callers
    package = __name__.partition(".")[0]
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        level, frame = level + 1, frame.f_back
    return level
