"""Paths as endpoints: without what identifies a person, a thing or a secret, so that there are few of them.

``/v1/customers/cus_NffrFeUfNV2Hib`` becomes ``/v1/customers/{id}``. What a segment is, `segments` says; here
is what its neighbours say of it, and how object stores, whose paths are the users' own names, lay them out.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, Literal, Optional

from recost.aggregation.segments import ID, template_segment

__all__ = ["template", "template_for"]

_MAX_SEGMENTS: Final = 12
_MAX_LENGTH: Final = 256
_REST: Final = "{rest}"
_CACHED: Final = 1024

_SECRETS: Final = frozenset({"jwt", "otp", "passcode"}).union(
    *({name, name + "s"} for name in ("api-key", "api_key", "apikey", "password", "secret", "token"))
)
"""What follows one of these is a secret, even if it reads like a word."""
_WEBHOOKS: Final = frozenset({"hook", "hooks", "webhook", "webhooks"})
"""Followed by an id, which is followed by a token: discord.com/api/webhooks/{id}/{token}."""
_SLACK: Final = frozenset({"services", "triggers", "workflows"})
"""Followed by a team, and then by ids and a token only: hooks.slack.com/services/T…/B…/…"""
_SLACK_TEAM: Final = re.compile("T[A-Z0-9]+")

_TELLING: Final = _SECRETS | _WEBHOOKS | _SLACK

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
"""Object stores, and how many labels their hosts have when the bucket is in the path; one with more is named
after its bucket."""
_S3: Final = re.compile(r"s3(?:-|express|\Z)")
_GOOGLE_STORAGE: Final = re.compile(r"/(?:(?:download|upload|resumable/upload)/)?(?:storage/v1|v0)/b(?:/|\Z)")
_GOOGLE_VERBS: Final = frozenset({"acl", "compose", "copyTo", "moveTo", "restore", "rewriteTo"})


def template(path: str) -> str:
    """Return a path with identifiers and secrets replaced: of at most 12 segments and 256 characters.

    Applied to its own result it changes nothing. A query is left out.
    """
    return _cached_template(path) if len(path) <= _MAX_LENGTH else _template(path)


def template_for(host: str, path: str) -> str:
    """Return what `template` does; for a host that is an object store, ``/{bucket}/{key}`` and the like."""
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
    path = path.partition("?")[0].partition("#")[0]
    segments = (path[1:] if path[:1] == "/" else path).split("/", _MAX_SEGMENTS)
    if len(segments) > _MAX_SEGMENTS and segments[-1]:
        segments[-1] = _REST
    first, *others = segments
    results = [_one(first, first=True), *[_one(segment, first=False) for segment in others]]
    if not _TELLING.isdisjoint(map(str.lower, results)):
        _hide_secrets(segments, results)
    whole = "/" + "/".join(results)
    return whole if len(whole) <= _MAX_LENGTH - len(_REST) - 1 else _shortened(results)


_cached_template = lru_cache(maxsize=_CACHED)(_template)


def _one(segment: str, *, first: bool) -> str:
    return template_segment(segment, first) if len(segment) <= _MAX_LENGTH else ID


def _hide_secrets(segments: list[str], results: list[str]) -> None:
    """Replace the segments that are secrets by what stands before them."""
    slack = False
    before = ["", ""]
    for number, segment in enumerate(segments):
        slack = slack or (before[1] in _SLACK and _SLACK_TEAM.fullmatch(segment) is not None)
        secret = slack or before[1] in _SECRETS or (before[1] == ID and before[0] in _WEBHOOKS)
        if secret and segment not in {"", _REST}:
            results[number] = ID
        before = [before[1], results[number].lower()]


def _shortened(results: list[str]) -> str:
    """Return as many segments as fit, and say that there are more."""
    shortened = ""
    for result in results:
        if len(shortened) + 1 + len(result) > _MAX_LENGTH - len(_REST) - 1:
            break
        shortened += "/" + result
    return f"{shortened}/{_REST}"


@lru_cache(maxsize=512)
def _layout(host: str) -> Optional[_Layout]:
    """Return how an object store's host arranges its paths; None for every other host."""
    host = host.lower().rstrip(".")
    if host.endswith((".amazonaws.com", ".amazonaws.com.cn")):
        labels = host.split(".")
        places = [
            index
            for index, label in enumerate(labels)
            if label == "s3" or label.startswith(("s3-", "s3express"))
        ]
        return ("virtual" if places[-1] else "path") if places else None
    if host.endswith(".googleapis.com"):
        if host.endswith(".storage.googleapis.com"):
            return "virtual"
        known = {"storage", "www", "content-storage", "firebasestorage"}
        return "google" if host.partition(".")[0] in known else None
    for suffix, labels_before in _STORES.items():
        if host.endswith(suffix):
            return "path" if host[: -len(suffix)].count(".") < labels_before else "virtual"
    return None


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
