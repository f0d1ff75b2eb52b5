"""Shared parts of the framework integrations: tags of the request that an outbound call is made for."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Mapping
from contextlib import suppress
from contextvars import Token
from typing import Any, Callable, Final, Optional

from recost._text import printable
from recost._validate import InvalidError, check_tag, invalid
from recost.errors import RecostError
from recost.interceptors import interception
from recost.interceptors.context import EMPTY, CostScope, LateCostScope, cost_scope

__all__ = ["RequestTags", "TagFunction", "Tagging", "enter", "is_inside", "leave"]

TagFunction = Callable[[Any], Optional[Mapping[str, object]]]
"""Function of the user's that returns tags for a request. A value of None is skipped."""

_METHODS: Final = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"}
)
_MAX_TAGS: Final = 8
_MAX_TEMPLATE: Final = 200
_MAX_REPORTS: Final = 100


class Tagging:
    """The options of an integration on tags.

    Args:
        on: Tag with what is being served: the route, the task.
        function: Adds tags of the user's own.
        option: The name of the option that ``on`` comes from.

    Raises:
        ValueError: One is of the wrong type.
    """

    def __init__(self, on: object, function: Optional[TagFunction], option: str = "tag_routes") -> None:
        if not isinstance(on, bool):
            raise invalid(option, on, "True or False")
        if function is not None and (not callable(function) or inspect.iscoroutinefunction(function)):
            kind = "a coroutine function" if callable(function) else f"a {type(function).__name__}"
            raise ValueError(f"recost: tags: got {kind}, expected a plain function of the request")
        self.on = on
        self.function = function
        self.active = on or function is not None
        self.known: dict[Any, str] = {}
        """Templates by the integration's own keys."""
        self._reported: set[str] = set()

    def own(self, subject: Any, outer: Optional[CostScope] = None) -> dict[str, str]:
        """Return the checked tags of the user's function for a request or task. Never raise.

        Args:
            subject: What the function is called with.
            outer: The scope that the function runs in, so that its own calls don't call it again.
        """
        if self.function is None:
            return {}
        token = cost_scope.set(outer)
        try:
            return self._checked(self.function(subject))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the application's request must not fail
            # The place without the message, which may quote the request.
            frame = traceback.extract_tb(error.__traceback__)[-1]
            self._report(f"the function raised {type(error).__name__} at {frame.filename}:{frame.lineno}")
            return {}
        finally:
            cost_scope.reset(token)

    def _checked(self, given: object) -> dict[str, str]:
        if given is None:
            return {}
        if not isinstance(given, Mapping):
            if inspect.iscoroutine(given):
                given.close()
            self._report(f"the function returned a {type(given).__name__}, expected a dict")
            return {}
        tags: dict[str, str] = {}
        for name, value in given.items():
            if value is None:
                continue
            try:
                text = check_tag(name, value)
            except InvalidError as error:
                self._report(f"{error}; skipped")
                continue
            if len(tags) >= _MAX_TAGS:
                self._report(f"the function returned more than {_MAX_TAGS} tags; the others are skipped")
                break
            tags[name] = text
        return tags

    def _report(self, problem: str) -> None:
        """Report a problem once, because every request may cause it."""
        if problem not in self._reported and len(self._reported) < _MAX_REPORTS:
            self._reported.add(problem)
            interception.report(RecostError(f"recost: tags: {problem}"))


class RequestTags:
    """The tags of one request, found when a call begins. The route is known only after routing.

    Args:
        carrier: The framework's object for the request, which it writes into.
        tagging: The options of the integration.
        outer: The scope around the request.
    """

    __slots__ = ("_found", "_outer", "carrier", "tagging")

    def __init__(self, carrier: Any, tagging: Tagging, outer: Optional[CostScope]) -> None:
        self.carrier = carrier
        self.tagging = tagging
        self._outer = outer
        self._found: Optional[Mapping[str, Optional[str]]] = None

    def find(self) -> Mapping[str, Optional[str]]:
        """Return the tags as they are known now. Once the route is known, they stay the same."""
        if self._found is not None:
            return self._found
        found: dict[str, Optional[str]] = {}
        template = None
        try:
            template = self.template()
            if self.tagging.on:
                # None takes away the tag of a request in this process that this one is served for.
                found["route"] = printable(template[:_MAX_TEMPLATE]) if template else None
                found["method"] = _known(self.method())
            if self.tagging.function is not None:
                found.update(self.tagging.own(self.request(), self._outer))
        except Exception as error:  # noqa: BLE001 - a framework of unknown shape must not fail the call
            interception.report(error)
        if template:
            self._found = found
        return found

    def template(self) -> Optional[str]:
        """Return the route's template as the application declares it, or None while it isn't known."""
        raise NotImplementedError

    def method(self) -> Optional[str]:
        """Return the request's method, or None if it has no method."""
        raise NotImplementedError

    def request(self) -> Any:
        """Return what the user's function is called with."""
        raise NotImplementedError


def enter(tags: RequestTags, outer: Optional[CostScope]) -> Token[Optional[CostScope]]:
    """Begin to tag the calls of the running context, and return the token for `leave`."""
    return cost_scope.set(LateCostScope(outer or EMPTY, tags))


def leave(token: Token[Optional[CostScope]]) -> None:
    """Stop tagging the calls of the running context."""
    with suppress(ValueError):  # torn down from another context, as when an event loop is closed
        cost_scope.reset(token)


def is_inside(outer: Optional[CostScope], carrier: object) -> bool:
    """Return True if an integration further out tags this request already."""
    if not isinstance(outer, LateCostScope):
        return False
    source = outer.source
    return isinstance(source, RequestTags) and source.carrier is carrier


def _known(method: Optional[str]) -> Optional[str]:
    """Return a method as it may be shown: ``OTHER`` for an unknown one, because clients may send any word."""
    return method if not method or method in _METHODS else "OTHER"
