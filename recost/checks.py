"""Checks of the settings: accepted values, environment variables, and how values are shown.

A check takes a value that is not None and returns it as it will be used, or raises `InvalidError`. A reader
takes the text of an environment variable, and returns the text itself when it can't be read: the check then
refuses it.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Callable, Final, TypeVar, Union

from recost import _folders
from recost._patterns import LazyPattern
from recost._validate import InvalidError, as_items, as_path, is_number, is_text, shorten, show

if TYPE_CHECKING:
    from recost.budgets.model import Budget
    from recost.pricing.model import ProviderDef

__all__ = ["Check", "Reader", "is_loopback", "is_readable_on_the_way", "shown"]

Check = Callable[[Any], Any]
Reader = Callable[[str], Any]

_MAX_INT: Final = 2**31 - 1
"""Milliseconds up to here are timeouts that the locks of every platform accept."""
_MAX_ID_BYTES: Final = 200
_SHOWN_OF_KEY: Final = 8
_AUTHORITY: Final = LazyPattern(r"(\[[0-9A-Fa-f:.]+(%[\w.~-]+)?\]|[^\[\]%]+)(:\d*)?")
"""No escapes: urllib.request undoes them, so that ``127.0.0.1%2eexample.com`` is a host far away."""
_NOT_KEPT: Final = ("", ".")
"""Parts of a path that `pathlib.Path` drops."""
_BOOLEANS: Final = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off"), False),
}


_Kind = TypeVar("_Kind")


def read_text(text: str) -> str:
    """Read a text."""
    return text


def read_number(text: str) -> Union[int, float, str]:
    """Read a number."""
    with suppress(ValueError):
        return int(text)
    with suppress(ValueError):
        return float(text)
    return text


def read_switch(text: str) -> Union[bool, str]:
    """Read True or False, in upper or lower case."""
    return _BOOLEANS.get(text.lower(), text)


def read_names(text: str) -> list[str]:
    """Read texts that are separated by commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def read_labels(text: str) -> Any:
    """Read labels as JSON. Any other text is the path of a file."""
    from recost._key_labels import parse_labels  # noqa: PLC0415 - only where it is set

    return parse_labels(text)


def whole(low: int, high: int = _MAX_INT, unit: str = "") -> Check:
    """Return the check for an integer. True and False are refused."""

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise InvalidError(f"a whole number{unit} from {low} to {high}")
        return int(value)

    return check


def seconds(value: Any) -> float:
    """Accept a positive, finite number."""
    if not is_number(value) or not 0 < value <= _MAX_INT / 1000:  # NaN compares as False
        raise InvalidError(f"a number of seconds above 0, up to {math.floor(_MAX_INT / 1000)}")
    return float(value)


def boolean(value: Any) -> bool:
    """Accept True and False themselves."""
    if not isinstance(value, bool):
        raise InvalidError("True or False (in the environment: 1, true, yes, on, 0, false, no or off)")
    return value


def label(value: Any) -> str:
    """Accept a text for the wire, where no text may be blank."""
    if not is_text(value):
        raise InvalidError("a text that is not blank, without control characters")
    return str.__str__(value)  # the value of an enumeration of texts, rather than its name


def local_transport(value: Any) -> str:
    """Accept the name of a local transport."""
    if not isinstance(value, str) or value not in ("file", "ws"):
        raise InvalidError("'file' or 'ws'")
    return value


def transports(value: Any) -> tuple[str, ...]:
    """Accept names of kinds of destinations, each once. What a kind needs must be installed."""
    from recost.delivery.kinds import KINDS, missing_library  # noqa: PLC0415 - only where it is set

    expected = f"a list of destinations, each once: {', '.join(map(repr, KINDS))}"
    items = _items(value, expected)
    if not items:
        raise InvalidError(expected)
    for index, item in enumerate(items):
        if not isinstance(item, str) or item not in KINDS:
            raise InvalidError(expected, item)
        if item in items[:index]:
            raise InvalidError(expected, items)
        missing = missing_library(item)
        if missing:
            raise InvalidError(missing, item)
    return tuple(map(str.__str__, items))


def api_key(value: Any) -> str:
    """Accept a key of printable ASCII: it goes into a header."""
    if not isinstance(value, str) or not re.fullmatch(r"rc-[!-~]+", value):
        raise InvalidError(
            "a key that starts with 'rc-' and has no spaces or line breaks; leave it out for local mode"
        )
    return value


def for_cloud(values: Mapping[str, Any]) -> None:
    """Raise ValueError if summaries go to the API and a setting that it needs is missing."""
    if values["api_key"] is None:
        raise ValueError(
            "recost: api_key: got nothing, expected a key, because transports has 'cloud': "
            "pass api_key=… or set RECOST_API_KEY"
        )
    if values["project_id"] is None:
        raise ValueError(
            "recost: project_id: got nothing, expected the id of your project, because an api_key is set: "
            "pass project_id=… or set RECOST_PROJECT_ID; without an api_key, summaries stay in a local file"
        )


def project_id(value: Any) -> str:
    """Accept an id that is safe as a file name. URLs must quote it."""
    safe = (
        is_text(value)
        and not value.startswith(".")
        and not any(part in value for part in ("..", "/", "\\"))
        and len(value.encode("utf-8")) <= _MAX_ID_BYTES
    )
    if not safe:
        raise InvalidError(
            "the id of a project, which is also a file name: not blank, no '/', '\\', '..', leading '.' or "
            f"control characters, at most {_MAX_ID_BYTES} bytes"
        )
    problem = _folders.check_name(str(value))
    if problem is not None:
        raise InvalidError(f"the id of a project, which is also a file name: {problem}")
    return str(value)


def base_url(value: Any) -> str:
    """Accept an HTTP URL and return it without trailing slashes.

    ``http://`` is accepted for every host: a self-hosted deployment may be inside a network that is encrypted
    itself. User name and password can't work: the ``Authorization`` header has the API key.
    """
    from urllib.parse import urlsplit  # noqa: PLC0415 - slow to import

    valid = False
    if isinstance(value, str) and value.isprintable() and not re.search(r"[\s?#@\\]", value):
        with suppress(ValueError):  # invalid port or IPv6 address
            parts = urlsplit(value)
            valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
            valid = valid and parts.path.isascii() and bool(_AUTHORITY.fullmatch(parts.netloc))
    if not valid:
        raise InvalidError("an http:// or https:// URL with a host, without user name, query and fragment")
    return str(value).rstrip("/")


def is_loopback(url: str) -> bool:
    """Return True if a URL names this very machine: ``localhost``, 127.0.0.0/8 or ``::1``."""
    import ipaddress  # noqa: PLC0415 - slow to import
    from urllib.parse import urlsplit  # noqa: PLC0415 - slow to import

    host = (urlsplit(url).hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def is_readable_on_the_way(url: str) -> bool:
    """Return True if requests to a URL cross a network without encryption."""
    return url[:7].lower() == "http://" and not is_loopback(url)


def folder(value: Any) -> str:
    """Accept a path and return it absolute: the application may change its working directory later."""
    path = _path(value, "the path of a folder")
    try:
        return _absolute(path)
    except (RuntimeError, FileNotFoundError):
        # This user has no home, or the working directory is gone: not a reason to stop the application.
        return str(_folders.fallback_folder())


def file(value: Any) -> str:
    """Accept the path of a file and return it absolute."""
    path = _path(value, "the path of a file")
    try:
        return _absolute(path)
    except (RuntimeError, FileNotFoundError):
        raise InvalidError(
            "an absolute path, because there is neither a home nor a working directory"
        ) from None


def _path(value: Any, expected: str) -> str:
    text = as_path(value)
    if text is None:
        raise InvalidError(expected)
    return text


def _absolute(text: str) -> str:
    """Return a path as ``Path(text).expanduser().absolute()``, which is slow to import."""
    if os.name == "posix":
        path = os.path.expanduser(text)  # noqa: PTH111 - see above
        if path[:1] == "/" and not any(part in _NOT_KEPT for part in path[1:].split("/")):
            return path
    from pathlib import Path  # noqa: PLC0415 - slow to import

    return str(Path(text).expanduser().absolute())


def hosts(value: Any) -> tuple[str, ...]:
    """Accept host names."""
    return _texts(value, "a list of host names without '*': every host is compared as a whole")


def tag_names(value: Any) -> tuple[str, ...]:
    """Accept names of tags."""
    expected = "a list of names of tags, such as 'team'"
    items = _items(value, expected)
    for item in items:
        if not is_text(item):
            raise InvalidError(expected, item)
    return tuple(map(str.__str__, items))


def otlp_semconv(value: Any) -> str:
    """Accept the name of a set of conventions."""
    if not isinstance(value, str) or value not in ("classic", "inference"):
        raise InvalidError("'classic' or 'inference'")
    return str.__str__(value)


def patterns(value: Any) -> tuple[str, ...]:
    """Accept substrings."""
    return _texts(value, "a list of texts without '*': each is looked for anywhere in host and URL")


def providers(value: Any) -> tuple[ProviderDef, ...]:
    """Accept rules. A rule checks its own fields when it is made."""
    items = _items(value, "a list of recost.ProviderDef")
    if not items:
        return items
    from recost.pricing.model import ProviderDef  # noqa: PLC0415 - slow to import

    return _objects(items, ProviderDef)


def budgets(value: Any) -> tuple[Budget, ...]:
    """Accept budgets, each with a name of its own. A budget checks its own fields when it is made."""
    items = _items(value, "a list of recost.Budget")
    if not items:
        return items
    from recost.budgets.model import Budget  # noqa: PLC0415 - slow to import

    names = set()
    items = _objects(items, Budget)
    for item in items:
        if item.name in names:
            raise InvalidError(f"budgets with different names, and {item.name!r} is a duplicate: pass name=…")
        names.add(item.name)
    return items


def key_labels(value: Any) -> dict[str, str]:
    """Accept labels by the hash of a key, or the path of a file of them."""
    from recost._key_labels import check_labels  # noqa: PLC0415 - only where it is set

    return check_labels(value)


def callback(value: Any) -> Callable[[Exception], Any]:
    """Accept anything that can be called."""
    if not callable(value):
        raise InvalidError("a function that takes one exception")
    return value  # type: ignore[no-any-return]


def _objects(items: tuple[Any, ...], kind: type[_Kind]) -> tuple[_Kind, ...]:
    for item in items:
        if not isinstance(item, kind):
            raise InvalidError(f"a list of recost.{kind.__name__}", item)
    return items


def _texts(value: Any, expected: str) -> tuple[str, ...]:
    items = _items(value, expected)
    for item in items:
        # A blank pattern would be found in every URL.
        if not isinstance(item, str) or not item.strip() or "*" in item:
            raise InvalidError(expected, item)
    return items


def _items(value: Any, expected: str) -> tuple[Any, ...]:
    items = as_items(value)
    if items is None:
        raise InvalidError(expected)
    return items


def shown(name: str, value: Any) -> str:
    """Return the value of a setting for messages and reprs: short, and with no secret in it."""
    if isinstance(value, (list, tuple, set, frozenset)):
        return shorten(f"[{', '.join(shown(name, item) for item in value)}]")
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if value is not None and not isinstance(value, (bool, int, float, str)):
        return f"a {type(value).__name__}"
    if name == "key_labels" and isinstance(value, str):
        return "a text"  # which may be a key
    if name == "api_key" and isinstance(value, str):
        return repr(value[:_SHOWN_OF_KEY] + "…" * (len(value) > _SHOWN_OF_KEY))
    if name == "base_url" and isinstance(value, str):
        userinfo, at, rest = value.rpartition("@")  # a password may contain a "?"
        value = f"{userinfo}{at}{rest.partition('?')[0]}{'?…' * ('?' in rest)}"
    return show(value)
