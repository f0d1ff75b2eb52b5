"""Path templates: paths without identifiers and secrets, so that there are few endpoints.

``/v1/customers/cus_NffrFeUfNV2Hib`` becomes ``/v1/customers/{id}``. `segments` judges a segment by itself.
This module judges it by its neighbours, and knows the layout of object stores, whose paths are users' names.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Literal, Optional

from recost._patterns import LazyPattern
from recost.endpoints.segments import (
    FREE,
    ID,
    KNOWN,
    NAME,
    NAMED,
    PASSED_OVER,
    STRICT,
    announces,
    is_mount,
    is_service,
    template_segment,
)
from recost.endpoints.shapes import shape_of
from recost.endpoints.words import is_countable, words_of

__all__ = ["template", "template_for"]

_MAX_SEGMENTS: Final = 12
_MAX_LENGTH: Final = 256
_REST: Final = "{rest}"
_CACHED: Final = 1024
"""Shapes of paths whose template is remembered."""

_SLACK: Final = frozenset({"services", "triggers", "workflows"})
"""Segments before a team, after which only ids and a token follow: hooks.slack.com/services/T…/B…/…"""
_SLACK_TEAM: Final = LazyPattern("T[A-Z0-9]+")
_MODELS: Final = frozenset({"deployments", "engines", "model", "models"})
"""Segments before the name of a model."""
_NUMBERED: Final = frozenset({"api", "oauth", "oauth2", "rest", "rpc", "v", "version", "versions", "ws"})
"""Segments before a version without a letter: ``/rest/api/2``."""
_PLAIN_VERSION: Final = LazyPattern("[1-9][0-9]?(?:\\.[0-9]{1,2})?")
_MOST_VERSION: Final = 2
"""Maximum number of digits of such a version."""
_OWN: Final = frozenset({"@me", "me", "self"})
"""Segments in place of the caller's own id."""
_NAMESPACES: Final = ("Microsoft.", "microsoft.graph.")
"""Prefixes of resource providers of Azure, which define the segments behind them."""
_DIGITS: Final = frozenset("0123456789")
_MARKS: Final = frozenset("%:;=(")
"""Text before one of these may announce the next segment, though all of this one is hidden."""
_DATED: Final = LazyPattern("20[0-4][0-9]-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])")
_DECIMAL: Final = LazyPattern("[1-9]\\.[0-9](?:\\.[0-9])?")
_BEHIND_MOUNTS: Final = LazyPattern(
    "(?:api|rest)[0-9]?|[vV][0-9]{1,2}(?:\\.[0-9]{1,3}){0,2}(?:(?:alpha|beta)[0-9]?)?"
)
"""Segments behind an API's name."""
_SERVICE: Final = LazyPattern("[a-z][a-z0-9_]{0,30}(?:\\.[a-z0-9_]{1,30}){0,5}\\.[A-Z][A-Za-z]{1,30}")
_SWIFT: Final = LazyPattern("/(?:swift/)?v1(?:\\.[0-9])?/(?:AUTH|KEY|SERVICE)_[^/]*")
"""Paths before a container and an object, whose names are the users'."""

_Layout = Literal["path", "virtual", "google"]
_STORES: Final = {
    ".r2.cloudflarestorage.com": 1,
    ".blob.core.windows.net": 1,
    ".dfs.core.windows.net": 1,
    ".file.core.windows.net": 1,
    ".digitaloceanspaces.com": 1,
    ".backblazeb2.com": 2,
    ".wasabisys.com": 2,
}
"""Object stores, and the number of labels of their hosts when the bucket is in the path. A host with more
labels is named after its bucket."""
_STORE: Final = LazyPattern(
    "(?:s3|oss|cos|obs|r2|storage|minio|ceph|swift|blob|bucket|buckets|objectstorage|object-storage)(?:-.*)?"
    "|s3express.*"
)
"""Labels of hosts that are object stores. The label before one is the bucket."""
_GOOGLE_STORAGE: Final = LazyPattern(
    r"/(?:(?:download|upload|resumable/upload)/)?(?:storage/v1|v0)/b(?:/|\Z)"
)
_GOOGLE_VERBS: Final = frozenset({"acl", "compose", "copyTo", "moveTo", "restore", "rewriteTo"})


def template(path: str) -> str:
    """Return a path with identifiers and secrets replaced, of at most 12 segments and 256 characters.

    A second pass does not change the result. A query is removed.
    """
    if "?" in path or "#" in path:
        path = path.partition("?")[0].partition("#")[0]
    shape = shape_of(path) if len(path) <= _MAX_LENGTH else ""
    found = _templates.get(shape)
    if found is None:
        found = _template(path)
        if shape:
            if len(_templates) >= _CACHED:
                _templates.clear()
            _templates[shape] = found
    return found


_templates: Final[dict[str, str]] = {}
"""Templates by the shapes of paths."""


def template_for(host: str, path: str) -> str:
    """Return the template of a path, which for an object store is ``/{bucket}/{key}`` or similar."""
    layout = _layout(host)
    if layout is None:
        return template(path)
    path = path.partition("?")[0]
    if layout == "virtual":
        return "/{key}" if path.strip("/") else "/"
    if layout == "google":
        return _google(host, path)
    return _bucket_and("{key}", path)


def _template(path: str) -> str:
    swift = _SWIFT.match(path) if path.startswith(("/v1", "/swift/")) else None
    if swift is not None:
        below = _bucket_and("{key}", path[swift.end() :])
        return _template(swift[0].rpartition("/")[0]) + "/" + ID + below.rstrip("/")
    segments = (path[1:] if path[:1] == "/" else path).split("/", _MAX_SEGMENTS)
    if len(segments) > _MAX_SEGMENTS and segments[-1]:
        segments[-1] = _REST
    results = _segments(segments)
    whole = "/" + "/".join(results)
    return whole if len(whole) <= _MAX_LENGTH - len(_REST) - 1 else _shortened(results)


def _segments(segments: list[str]) -> list[str]:
    """Return the segments with identifiers replaced, judged by themselves and by the segments before them."""
    results: list[str] = []
    before = ""
    hidden, announced = 0, FREE
    slack = False
    for number, segment in enumerate(segments):
        if not segment or segment == _REST:
            results.append(segment)
            continue
        slack = slack or (before in _SLACK and _SLACK_TEAM.fullmatch(segment) is not None)
        if (
            slack
            or len(segment) > _MAX_LENGTH
            or (number and len(segment) > _MOST_VERSION and segment.isdigit())
        ):
            result = ID
        elif segment[0] in _DIGITS and _is_plain_version(segment, before, segments, number):
            result = segment
        else:
            result = template_segment(segment, number == 0, announced if hidden else FREE, before in _MODELS)
            if result == ID and not hidden and number < 2 and _is_mounted(segments, number, before):
                result = segment
        results.append(result)
        count = 0
        if not slack and len(segment) <= _MAX_LENGTH and (result[:4] != ID or not _MARKS.isdisjoint(segment)):
            count = announces(segment)
            if count == PASSED_OVER:
                continue
        if count or hidden:
            hidden, announced = _next_hidden(count, hidden, segment, result)
        before = result.lower()
    return results


def _is_mounted(segments: list[str], number: int, before: str) -> bool:
    """Recognise an API's name by the version behind it, and a gRPC service by its method."""
    if len(segments) == 2 and number == 0 and _SERVICE.fullmatch(segments[0]):
        return segments[1][:1].isupper() and is_service(segments[0], segments[1])
    return _is_before_version(segments, number, before) and is_mount(segments[number])


def _is_before_version(segments: list[str], number: int, before: str) -> bool:
    """Return whether a segment is one of the first and stands before a version that stays."""
    if number + 1 >= len(segments) or (number and (number > 1 or before not in _NUMBERED)):
        return False
    after = segments[number + 1]
    if len(after) > _MAX_LENGTH:
        return False
    decimal = number + 2 < len(segments) and _DECIMAL.fullmatch(after) is not None
    return decimal or _BEHIND_MOUNTS.fullmatch(after) is not None


def _next_hidden(count: int, hidden: int, segment: str, result: str) -> tuple[int, int]:
    """Return the number of next segments that are hidden, and how strictly."""
    if count and count < NAME:
        return count, STRICT
    if count == NAME:
        return 1, NAMED
    if count and not hidden:
        return 1, KNOWN
    if segment in _OWN or segment.startswith(_NAMESPACES):
        return 0, FREE
    return (hidden - 1, STRICT) if result[:4] == ID else (hidden, KNOWN)


def _is_plain_version(segment: str, before: str, segments: list[str], number: int) -> bool:
    if number == 0:
        return len(segments) > 1 and segments[1] != "" and len(segment) == 1 and segment.isdigit()
    more = len(segments) > number + 1
    if number == 1 and len(segment) == 1 and more and _is_api(before) and segment != "0" and segments[2]:
        return True
    if more and ((number == 1 and _DATED.fullmatch(segment)) or _DECIMAL.fullmatch(segment)):
        return announces(before) <= 0
    return before in _NUMBERED and _PLAIN_VERSION.fullmatch(segment) is not None


def _is_api(name: str) -> bool:
    """Recognise ``sms`` of ``/sms/3/reports``, where ``product`` would have an id behind it."""
    return announces(name) == 0 and name[:4] != ID and not is_countable(words_of(name))


def _shortened(results: list[str]) -> str:
    """Return as many segments as fit, and ``{rest}`` for the others."""
    shortened = ""
    for result in results:
        if len(shortened) + 1 + len(result) > _MAX_LENGTH - len(_REST) - 1:
            break
        shortened += "/" + result
    return f"{shortened}/{_REST}"


@lru_cache(maxsize=512)
def _layout(host: str) -> Optional[_Layout]:
    """Return the layout of an object store's paths. None for every other host."""
    host = host.lower().rstrip(".")
    if host.endswith(".googleapis.com"):
        if host.endswith(".storage.googleapis.com"):
            return "virtual"
        known = {"storage", "www", "content-storage", "firebasestorage"}
        return "google" if host.partition(".")[0] in known else None
    for suffix, labels_before in _STORES.items():
        if host.endswith(suffix):
            return "path" if host[: -len(suffix)].count(".") < labels_before else "virtual"
    return _layout_by_label(host)


def _layout_by_label(host: str) -> Optional[_Layout]:
    """Return the layout of a host with the label of an object store, as S3 and compatible stores have it."""
    if host.endswith(".r2.dev"):
        return "virtual"
    labels = host.split(".")
    places = [index for index, label in enumerate(labels[:-2] or labels[:1]) if _STORE.fullmatch(label)]
    return ("virtual" if places[-1] else "path") if places else None


def _bucket_and(name: str, path: str) -> str:
    bucket, _, key = path.strip("/").partition("/")
    if not bucket:
        return "/"
    return f"/{{bucket}}/{name}" if key.strip("/") else "/{bucket}"


def _google(host: str, path: str) -> str:
    """Return a template for Google Cloud Storage: the JSON API or, on its own host, the XML API."""
    api = _GOOGLE_STORAGE.match(path)
    if api is None:
        own = host[:8].lower() == "storage." and not path.startswith(("/batch/storage/", "/storage/v1/"))
        return _bucket_and("{object}", path) if own else template(path)
    result = api[0].rstrip("/")
    bucket, _, below = path[api.end() :].partition("/")
    if not bucket:
        return result
    kind, _, name = below.partition("/")
    if kind != "o":
        return template(f"{result}/{{bucket}}/{below}") if below else f"{result}/{{bucket}}"
    result += "/{bucket}/o"
    verb = name.partition("/")[2].partition("/")[0]
    if name:
        result += "/{object}"
    return f"{result}/{verb}" if verb in _GOOGLE_VERBS else result
