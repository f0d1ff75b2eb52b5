"""Prices of tokens, from the genai-prices package (extra ``prices``), imported at the first need."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from importlib import import_module
from itertools import chain
from threading import RLock
from typing import TYPE_CHECKING, Any, Callable, Final, NamedTuple, Optional

from recost._patterns import LazyPattern
from recost.errors import RecostError
from recost.pricing.genai_data import context_of, has_tier, listed_name, start_dates
from recost.pricing.list_place import ListPlace, how_to_install, tokens_unpriced
from recost.pricing.modalities import dearest_token, find_guessed, own_prices, without
from recost.pricing.rates import Findings, Rates, Units, find_rates, kinds_of, request_key

if TYPE_CHECKING:
    from recost.pricing.price_list import ListFile, PriceList

__all__ = ["GenaiPrices", "Quote"]

_ALIASES: Final = {
    "reasoning_tokens": ("output_reasoning_tokens",),
    "seconds": ("audio_seconds", "input_audio_seconds"),
    "characters": ("input_characters",),
    "pages": ("input_document_pages",),
    "annotated_pages": ("input_annotated_document_pages",),
    "file_searches": ("storage_searches",),
    "searches": ("rerank_searches",),
}
_JOINS: Final = ("cache_audio_read_tokens", "cache_image_read_tokens", "cache_video_read_tokens")
_COARSE: Final = frozenset({"input_tokens", "output_tokens", "cache_read_tokens", "web_searches"})
_BESIDES: Final = frozenset(
    {
        "web_searches",
        "preview_web_searches",
        "storage_searches",
        "file_searches",
        "code_executions",
        "seconds",
    }
)
"""Units billed in addition to tokens. Older versions of genai-prices have no price for some of them."""
_GUARDRAILS: Final = frozenset(
    {
        "guardrail_content_units",
        "guardrail_grounding_units",
        "guardrail_pii_units",
        "guardrail_topic_units",
    }
)
"""Units billed by another service than the model. They are billed even if it blocks the request."""
_FREE: Final = LazyPattern(r"[a-z-]+/(?:.*:free|.*-exp(?:-[0-9-]+)?)\Z|google/gemma-|openai/moderation")
"""Free models without a price in the list, by provider and id. Other models without one are unknown."""
_REMEMBERED: Final = 1000
_REPORTED: Final = 20
_LEARNED_AFTER: Final = 10
"""Calls to a model within a minute before its rates are found, which takes as long as pricing as many."""
_UPDATE: Final = "'recost prices update' fetches the latest list"


class Quote(NamedTuple):
    """Price of a usage by genai-prices."""

    usd: Decimal
    priced_on: str
    exact: bool
    """False if a part of the usage or its service tier has no price of its own."""
    unpriced: frozenset[str]
    """Used units other than tokens that have no price."""
    tiered: bool
    """True if the price depends on the length of the prompt."""
    even_up_to: Optional[int] = None
    """Tokens of a prompt up to which the price doesn't depend on its length."""
    guessed: frozenset[str] = frozenset()
    """Tokens of audio, images or video without a price of their own: the model's highest price is used."""


class GenaiPrices:
    """Prices of usage by provider and model. Thread-safe. Nothing is raised.

    Args:
        report: Receives, once, that the package is missing or broken, and once for each model that it doesn't
            know, up to 20.
        clock: The time, in UTC.
        place: Location of a list that replaces the package's own, if it exists.
    """

    def __init__(
        self,
        report: Optional[Callable[[Exception], Any]],
        clock: Callable[[], datetime],
        place: Optional[ListPlace] = None,
    ) -> None:
        self._report = report
        self._clock = clock
        self._place = place
        self._file: Optional[ListFile] = None
        self._lock = RLock()
        self._importing = False
        self._library: Optional[_Library] = None
        self._missing: Optional[str] = None
        self._reported: set[tuple[str, str]] = set()

    @property
    def hindrance(self) -> Optional[str]:
        """Reason why tokens have no price, and the remedy. None if they have one, or before that is known."""
        return self._missing

    def refresh(self) -> bool:
        """Load a price list that is new or has changed since it was read. On recost's own thread only.

        Returns:
            True if prices may have changed.
        """
        if self._file is None or self._library is None or not self._file.changed():
            return False
        found, usable = self._file.read(self._clock().date())
        if usable:
            library = _Library(found)  # it knows nothing of what had no price before
            with self._lock:
                self._library = library
                self._reported.clear()
        return usable

    def quote(
        self,
        provider: str,
        models: Iterable[Optional[str]],
        units: Units,
        tier: Optional[str],
        report: bool = True,
    ) -> Optional[Quote]:
        """Return the price for the first known model, or None if all are unknown.

        Args:
            provider: Its id in genai-prices.
            models: Names of the same model.
            units: What was used.
            tier: ``"flex"``, ``"priority"``, ``"batch"``, ``"fast"`` …, or None for the standard one.
            report: Report a model without a price.
        """
        library = self._library or self._load()
        if library is None:
            return None
        names = list(filter(None, models))
        for name in chain(names, filter(None, map(listed_name, names))):
            found = self._find(library, provider, name, units, tier)
            if found is not None:
                return found
        if names and report:
            problem = f"no price for model {names[0]!r} of {provider}; {_UPDATE}"
            self._report_once((provider, names[0]), problem)
        return None

    def _find(
        self, library: _Library, provider: str, name: str, units: Units, tier: Optional[str]
    ) -> Optional[Quote]:
        now, known = self._clock(), library.known()
        lacking = known.lacking
        if lacking and request_key(provider, name, units, now) in lacking:
            return None
        try:
            return library.quote(provider, name, units, tier, now, known)
        except LookupError:
            key = request_key(provider, name, units, now)
            if len(lacking) >= _REMEMBERED:
                lacking.clear()
            lacking[key] = None
        except Exception as error:  # noqa: BLE001 - whatever that package does, the call is priced otherwise
            self._report_once((provider, name), f"genai-prices can't price a usage of {name!r}", error)
        return None

    def _load(self) -> Optional[_Library]:
        if self._library is None and self._missing is None:
            with self._lock:
                # Importing: a signal handler or finaliser has interrupted it on this very thread.
                if self._library is None and self._missing is None and not self._importing:
                    self._import()
        return self._library

    def _import(self) -> None:
        self._importing = True
        try:
            import_module("genai_prices")  # without it, a file with prices is of no use
            self._library = _Library(self._listed())
        except Exception as error:  # noqa: BLE001 - missing, too old or broken: other prices are tried
            missing = isinstance(error, ModuleNotFoundError) and error.name == "genai_prices"
            reason = "is not installed" if missing else f"can't be used ({type(error).__name__})"
            self._missing = f"genai-prices {reason}: {how_to_install()}"
            self._send(tokens_unpriced(reason), error)
        finally:
            self._importing = False

    def _listed(self) -> Optional[PriceList]:
        """Return the list that is used in place of the package's own, if there is one."""
        if self._place is None:
            return None
        from recost.pricing.price_list import ListFile  # noqa: PLC0415 - at the first need, as the package itself

        self._file = ListFile(self._place, self._send)
        return self._file.read(self._clock().date())[0]

    def _report_once(self, key: tuple[str, str], message: str, cause: Optional[BaseException] = None) -> None:
        with self._lock:
            if key in self._reported or len(self._reported) >= _REPORTED:
                return
            self._reported.add(key)
        self._send(message, cause)

    def _send(self, message: str, cause: Optional[BaseException]) -> None:
        if self._report is not None:
            error = RecostError(f"recost: {message}")
            error.__cause__ = cause
            self._report(error)


class _Library:
    """The imported package genai-prices.

    Args:
        listed: Replaces the package's own list.
    """

    def __init__(self, listed: Optional[PriceList] = None) -> None:
        self._genai: Any = import_module("genai_prices")
        self._snapshots: Any = import_module("genai_prices.data_snapshot")
        units: Any = import_module("genai_prices.data_units")
        self._units: dict[str, Any] = units.unit_data
        self._listed = None if listed is None else self._snapshots.DataSnapshot(listed.providers, False)
        providers = import_module("genai_prices.data").providers if listed is None else listed.providers
        self._day = None if listed is None or listed.day is None else listed.day.day
        self._dates = sorted(start_dates(providers))
        self._known = Findings(self._of_application())

    def known(self) -> Findings:
        """Return the findings about the list in use."""
        # The list that the application's own `UpdatePrices` has fetched has precedence.
        known, snapshot = self._known, getattr(self._snapshots, "_custom_snapshot", None)
        if known.snapshot is not snapshot:
            known = self._known = Findings(snapshot)
        return known

    def _of_application(self) -> object:
        """Return the list that the application's own `UpdatePrices` has fetched, which has precedence."""
        return getattr(self._snapshots, "_custom_snapshot", None)

    def quote(
        self,
        provider: str,
        model: str,
        units: Units,
        tier: Optional[str],
        now: datetime,
        findings: Optional[Findings] = None,
    ) -> Quote:
        """Return the price. ``findings`` are the result of `known`.

        Raises:
            LookupError: The model is not known, or has no price for this.
            ValueError: The usage does not add up.
        """
        kinds = kinds_of(units)
        if kinds is None:
            return self.work_out(provider, model, units, tier, now)
        key = (provider, model, tier, kinds, int(now.timestamp()) // 60)  # prices change with the hour, too
        rates_of = (findings or self.known()).rates
        known = rates_of.get(key, 0)
        if isinstance(known, tuple):
            learned_quote: Quote = known[0]
            return learned_quote._replace(usd=known[1].price(units))
        quote = self.work_out(provider, model, units, tier, now)
        if known is not None:
            if len(rates_of) >= _REMEMBERED:
                rates_of.clear()
            few = known + 1 < _LEARNED_AFTER
            learned = None if few else self._learn(provider, model, units, tier, now, quote)
            rates_of[key] = known + 1 if few else learned
        return quote

    def _learn(
        self, provider: str, model: str, units: Units, tier: Optional[str], now: datetime, quote: Quote
    ) -> Optional[tuple[Quote, Rates]]:
        if quote.tiered or quote.guessed or not quote.usd:
            return None

        def price(tried: Units) -> Decimal:
            context = context_of(tier)
            result = self._calculate_once(provider, model, self._translate(tried), context, now)
            total: Decimal = result.total_price
            return total

        try:
            rates = find_rates(units, price)
        except ValueError:
            return None
        return None if rates is None else (quote, rates)

    def work_out(self, provider: str, model: str, units: Units, tier: Optional[str], now: datetime) -> Quote:
        """Calculate the price without known rates, and return it as `quote` does."""
        counts = self._translate(units)
        if not counts:
            raise LookupError(model)
        context = context_of(tier)
        result, exact = self._calculate(provider, model, counts, context, now)
        if not result.total_price and not self._is_free(result, units):
            raise LookupError(model)
        prices = vars(result.model_price).values()
        starts = [tier.start for price in prices for tier in getattr(price, "tiers", ())]
        usd = result.total_price
        guessed = find_guessed(provider, result.model.id, result.model_price, units)
        if guessed:
            rest = self._translate(without(units, guessed))
            dearest = dearest_token(result.model_price)
            usd = self._calculate(provider, model, rest, context, now)[0].total_price if rest else Decimal(0)
            own = own_prices(provider, model, units)
            usd += sum((own.get(unit, dearest) * units[unit] for unit in guessed), Decimal(0))
            guessed -= own.keys()
        return Quote(
            usd,
            self._priced_on(result, now.date()),
            exact and has_tier(result, context, now) and self._has_lifetime(result, units),
            frozenset(
                unit
                for unit in units
                if unit in _GUARDRAILS or (unit in _BESIDES and not self._is_priced(unit, result))
            ),
            bool(starts),
            min(starts, default=None),
            guessed,
        )

    def _calculate(
        self, provider: str, model: str, counts: dict[str, Any], context: dict[str, str], now: datetime
    ) -> tuple[Any, bool]:
        """Return the calculation. Inconsistent counts are priced by their main parts, inexactly."""
        without_joins = {**dict.fromkeys(_JOINS, 0), **counts}
        coarse = {unit: count for unit, count in counts.items() if unit in _COARSE}
        with suppress(ValueError):
            return self._calculate_once(provider, model, counts, context, now), True
        with suppress(ValueError):
            return self._calculate_once(provider, model, without_joins, context, now), False
        return self._calculate_once(provider, model, coarse, context, now), False

    def _calculate_once(
        self, provider: str, model: str, counts: dict[str, Any], context: dict[str, str], now: datetime
    ) -> Any:
        if self._listed is not None and self._of_application() is None:
            usage = self._genai.Usage(**counts)
            return self._listed.calc(usage, model, provider, None, now, context or None)
        return self._genai.calc_price(
            self._genai.Usage(**counts),
            model,
            provider_id=provider,
            genai_request_timestamp=now,
            price_context=context or None,
        )

    def _translate(self, units: Units) -> dict[str, Any]:
        """Return the counts under the names that genai-prices has for them."""
        counts: dict[str, Any] = {}
        for unit, count in units.items():
            for name in _ALIASES.get(unit, (unit,)):
                if name in self._units:
                    counts[name] = count
        writes = counts.get("cache_write_tokens", 0) + counts.get("cache_write_1h_tokens", 0)
        if writes:
            counts["cache_write_tokens"] = writes  # there, those for an hour are among them
        return counts

    def _is_priced(self, unit: str, result: Any) -> bool:
        return any(
            getattr(result.model_price, self._units[name]["price_key"], None) is not None
            for name in _ALIASES.get(unit, (unit,))
            if name in self._units
        )

    def _has_lifetime(self, result: Any, units: Units) -> bool:
        """Return True if tokens written to the cache for an hour, if any, have a price of their own."""
        return not units.get("cache_write_1h_tokens") or self._is_priced("cache_write_1h_tokens", result)

    def _is_free(self, result: Any, units: Units) -> bool:
        """Return True if a price of 0 is a real one, and not that of units without a price."""
        if not any(price is not None for price in vars(result.model_price).values()):
            return _FREE.match(f"{result.provider.id}/{result.model.id}") is not None
        return all(
            not count or unit in _GUARDRAILS or self._is_priced(unit, result) for unit, count in units.items()
        )

    def _priced_on(self, result: Any, today: date) -> str:
        """Return the date of the price: of its update, else of the list, else of the latest change."""
        if result.auto_update_timestamp is not None:
            return str(result.auto_update_timestamp.date().isoformat())
        if self._day is not None:
            return self._day.isoformat()
        return max((day for day in self._dates if day <= today), default=today).isoformat()
