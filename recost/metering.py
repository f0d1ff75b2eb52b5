"""What a finished exchange cost: its rule, what its answer reports, and the prices."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Callable, Final, Optional

from recost.errors import RecostError
from recost.interceptors.exchange import Exchange, Wanted
from recost.interceptors.targets import Target, clean_path
from recost.pricing.cost import Cost
from recost.pricing.list_place import ListPlace
from recost.pricing.model import MatchResult
from recost.pricing.paths import model_in_path
from recost.pricing.pricer import Pricer
from recost.pricing.registry import CACHED_URLS, LONGEST_CACHED, ProviderRegistry
from recost.pricing.usage import Reading, header_names, read_response
from recost.pricing.usage.asked import MODEL, fields_asked, model_in, with_asked
from recost.pricing.usage.model import Usage

__all__ = ["Meter"]

_NO_FIELDS: Final[Mapping[str, str]] = {}
_NOTHING: Final = Reading(None, unread=False)


class _Known(dict[Target, Optional[Wanted]]):
    """What is read of the calls to a target, found when it is first asked for."""

    def __init__(self, find: Callable[[Target], Optional[Wanted]]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, target: Target) -> Optional[Wanted]:
        return self._find(target)


class Meter:
    """Prices exchanges, each one once. Thread-safe.

    Args:
        registry: The rules in force.
        report: Receives what goes wrong; nothing is raised.
        reads: Look at what was captured of responses. Without it, what another listener has had captured
            changes nothing.
        reads_requests: The same of requests.
        models_first: Read the model of every request whose path doesn't name it, for a budget that must know
            it before the response does.
        price_list: Where a list of genai-prices may be that is used in place of the package's own.
    """

    def __init__(
        self,
        registry: ProviderRegistry,
        *,
        report: Callable[[BaseException], Any],
        reads: bool = True,
        reads_requests: bool = True,
        models_first: bool = False,
        price_list: Optional[ListPlace] = None,
    ) -> None:
        self._reads_requests = reads and reads_requests
        self._models_first = models_first
        self._registry = registry
        self._reads = reads
        self._key = object()
        self._pricer = Pricer(registry, report=report, price_list=price_list)
        self.refresh: Final = self._pricer.refresh
        self._report = report
        self._known = _Known(self._find_wanted)
        self.wanted: Callable[[Target], Optional[Wanted]] = self._known.__getitem__
        """Returns what is read of a call; None where its response reports nothing, and isn't captured.

        Each call asks it, hence no function of Python's where the answer is known.
        """
        self._told_unread = False
        self._lock = threading.RLock()  # a finaliser may make a call, and that may price another

    def cost_of(self, exchange: Exchange) -> Cost:
        """Return what a call cost; before its end, only that it is not complete."""
        if exchange.costs is not None and self._key in exchange.costs:
            known: Cost = exchange.costs[self._key]
            return known
        if not exchange.finished:
            match = self._match(exchange)
            provider = "unknown" if match is None else match.provider
            return Cost(None, "unknown", provider, attempts=max(exchange.attempts, 1), complete=False)
        with self._lock:  # an answer is read once
            if exchange.costs is None:
                exchange.costs = {}
            costs = exchange.costs  # even an empty one: another meter, with a lock of its own, has it, too
            if self._key not in costs:
                costs[self._key] = self._price(exchange)
            priced: Cost = costs[self._key]
            return priced

    def model_asked(self, exchange: Exchange) -> Optional[str]:
        """Return the model that the request names; None where that isn't read, or isn't known."""
        return model_in(self._fields(exchange))

    def has_priced(self, exchange: Exchange) -> bool:
        """Tell whether it is known what a call cost."""
        return exchange.costs is not None and self._key in exchange.costs

    def prepare(self) -> None:
        """Load now what the first call would be held up by."""
        host, path = "api.openai.com", "/v1/chat/completions"
        self._pricer.price(
            self._registry.lookup(host, path),
            host=host,
            path=path,
            method="POST",
            status=200,
            request_bytes=0,
            response_bytes=0,
            usage=Usage("gpt-4o", {"input_tokens": 1}),
            count=False,
        )
        import_module("recost.skimming")  # a long body is skimmed on the caller's thread

    def _find_wanted(self, target: Target) -> Optional[Wanted]:
        host, path, method = target
        cleaned = clean_path(path)
        if cleaned != path:  # queries differ from call to call, and change nothing
            return self.wanted((host, cleaned, method))
        shape = self._registry.usage_shape(host, path, method)
        found = None if shape is None else Wanted(header_names(shape, host), self._fields_asked(shape, path))
        if len(path) <= LONGEST_CACHED:
            if len(self._known) >= CACHED_URLS:
                self._known.clear()
            self._known[target] = found
        return found

    def _fields_asked(self, shape: str, path: str) -> Sequence[str]:
        """Return the names of the fields that are read of a request with such a response."""
        if not self._reads_requests:
            return ()
        names = fields_asked(shape, path)
        return MODEL if not names and self._models_first and model_in_path(path) is None else names

    def _price(self, exchange: Exchange) -> Cost:
        match = self._match(exchange)
        reading, content_type = self._read(exchange, match)
        fields = self._fields(exchange)
        if reading.unread:
            self._report_unread(match)
        return self._pricer.price(
            match,
            host=exchange.host,
            path=clean_path(exchange.path),
            method=exchange.method,
            status=exchange.status,
            request_bytes=exchange.request_bytes,
            response_bytes=exchange.response_bytes,
            body_bytes=reading.size,
            content_type=content_type,
            usage=with_asked(reading.usage, clean_path(exchange.path), fields) if fields else reading.usage,
            asked=fields,
            attempts=max(exchange.attempts, 1),
            unread=reading.unread,
        )

    def _fields(self, exchange: Exchange) -> Mapping[str, str]:
        """Return what the request has of the fields that are read here; other listeners may read more."""
        if exchange.request is None or not self._reads_requests:
            return _NO_FIELDS
        found = exchange.request.fields()
        wanted = self.wanted((exchange.host, exchange.path, exchange.method))
        names = () if wanted is None else wanted.fields
        return found if found.keys() <= set(names) else {n: found[n] for n in names if n in found}

    def _match(self, exchange: Exchange) -> Optional[MatchResult]:
        return self._registry.lookup(exchange.host, clean_path(exchange.path))

    def _read(self, exchange: Exchange, match: Optional[MatchResult]) -> tuple[Reading, str]:
        capture = exchange.capture if self._reads else None
        captured = None if capture is None else capture.take()
        if captured is not None and not getattr(capture, "readers", 0):  # no other listener is to read it
            exchange.capture = None
        if captured is None or match is None or match.rule is None:
            return _NOTHING, ""
        path = clean_path(exchange.path)
        shape = self._registry.usage_shape(exchange.host, path, exchange.method)
        if shape is None:
            return _NOTHING, captured.content_type
        content = captured._replace(path=path, status=exchange.status)
        return read_response(shape, content), captured.content_type

    def _report_unread(self, match: Optional[MatchResult]) -> None:
        """Report, once, that not all can be read."""
        if self._told_unread:
            return
        self._told_unread = True
        provider = "unknown" if match is None else match.provider
        self._report(
            RecostError(
                f"recost: a response of {provider} was not read to its end: it swells or nests too much, or "
                "can't be decoded; the cost of such calls is an estimate (reported once)"
            )
        )
