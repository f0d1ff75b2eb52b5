"""pytest plugin: the cost of the calls of a test, and of a whole run.

    pytest --recost                     prints the cost at the end
    pytest --recost-max-usd 0.50        also fails the run when it cost more

The fixture ``recost_spend`` is the `recost.Spend` of one test. All calls of the process count while it runs,
on whichever thread. They are priced by the rules of the application's `recost.init`, where one is active.
Responses are always read for what they report, as with ``capture_usage``. Nothing is written or sent.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Optional
from weakref import WeakKeyDictionary

import pytest

if TYPE_CHECKING:
    from recost.attribution import Spend
    from recost.config import Settings
    from recost.interceptors.exchange import Exchange, Routed
    from recost.interceptors.targets import Target
    from recost.lifecycle import RecostHandle
    from recost.lifecycle.reporting import Reporter
    from recost.lifecycle.runtime import Runtime
    from recost.pricing.cost import Cost

__all__ = ["recost_spend"]

_RUN: Final = "pytest-run"
_TEST: Final = "pytest-test"
_OUTPUT: Final = "recost"
_MAX_ERRORS: Final = 10
_REPORTING_S: Final = 1.0
_OF_ENVIRONMENT: Final = (
    "providers_file",
    "prices_file",
    "read_requests",
    "exclude_hosts",
    "exclude_patterns",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("recost", "what outbound API calls cost")
    group.addoption("--recost", action="store_true", help="print what the calls of the run cost")
    group.addoption(
        "--recost-max-usd", type=_amount, metavar="USD", help="fail the run when its calls cost more"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Begin to add up costs if an option requests it."""
    if config.getoption("--recost") or config.getoption("--recost-max-usd") is not None:
        try:
            bookkeeper = _Bookkeeper(config)
        except ValueError as error:
            raise pytest.UsageError(str(error)) from None
        config.pluginmanager.register(bookkeeper, "recost-bookkeeper")


@pytest.fixture
def recost_spend() -> Iterator[Spend]:
    """Cost of the calls of this test."""
    ledger = _RunSums(_TEST)
    yield ledger.spend
    ledger.close()


class _RunSums:
    """Sums of every call of the process."""

    def __init__(self, name: str) -> None:
        from recost.attribution import Spend  # noqa: PLC0415 - most runs of pytest don't ask for it
        from recost.interceptors import interception  # noqa: PLC0415
        from recost.interceptors.exchange import Unrouted  # noqa: PLC0415
        from recost.lifecycle import current_handle  # noqa: PLC0415
        from recost.lifecycle.reporting import Reporter  # noqa: PLC0415

        self._name = name
        self._interception = interception
        self._unrouted = Unrouted
        self._current_handle = current_handle
        self.errors: dict[str, None] = {}
        """Error messages, each one once."""
        self._report = Reporter(self._note)
        self._own = _pricing(None, self._report)
        self._of_handles: WeakKeyDictionary[RecostHandle, Runtime] = WeakKeyDictionary()
        self._latest: Optional[RecostHandle] = None
        self._handles: dict[Exchange, Optional[RecostHandle]] = {}
        """The handle whose rules apply to a call that is not priced yet."""
        self.spend = Spend(self._price)
        interception.add(name, self._collect, metered=self._wanted)

    def close(self) -> None:
        self._interception.remove(self._name)
        self._report.notifier.close(time.monotonic() + _REPORTING_S)

    def _note(self, error: Exception) -> None:
        if len(self.errors) < _MAX_ERRORS:
            self.errors[str(error)] = None

    def _wanted(self, target: Target) -> Routed:
        self._latest = self._current_handle()
        metered = self._runtime_of(self._latest).metered
        return self._unrouted() if metered is None else metered(target)

    def _collect(self, exchange: Exchange) -> None:
        # A call may end as the application ends recost.
        self._handles[exchange] = self._current_handle() or self._latest
        self.spend.collect(exchange)

    def _price(self, exchange: Exchange) -> Optional[Cost]:
        return self._runtime_of(self._handles.pop(exchange, None)).cost_of(exchange)

    def _runtime_of(self, handle: Optional[RecostHandle]) -> Runtime:
        """Return the runtime that prices calls by the application's settings, rules included."""
        if handle is None or handle.settings is None:
            return self._own
        found = self._of_handles.get(handle)
        if found is None:
            try:
                found = _pricing(handle.settings, self._report)
            except ValueError as error:  # the file of rules has changed since, and a call is being made
                self._note(error)
                found = self._own
            self._of_handles[handle] = found
        return found


def _pricing(given: Optional[Settings], report: Reporter) -> Runtime:
    """Return a runtime that prices calls as `recost.init` does, always reads responses, and sends nothing.

    Args:
        given: Settings of the application. None: the settings in the environment for which calls count and
            what they cost.
        report: Receives errors.

    Raises:
        ValueError: A setting or a rule is invalid.
    """
    from recost.config import resolve, variable  # noqa: PLC0415
    from recost.delivery.transports.memory import MemoryTransport  # noqa: PLC0415
    from recost.lifecycle.compose import Composition  # noqa: PLC0415

    if given is None:
        names = map(variable, _OF_ENVIRONMENT)
        settings = resolve(
            None, {"capture_usage": True}, {name: os.environ[name] for name in names if name in os.environ}
        )
    else:
        settings = given.changed(capture_usage=True, debug=False)
    return Composition(settings, report, transport=MemoryTransport(), budgets=False).runtime()


class _Bookkeeper:
    """Sums of a run, over all processes of pytest-xdist."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._limit: Optional[Decimal] = config.getoption("--recost-max-usd")
        self._ledger = _RunSums(_RUN)
        self._usd: dict[str, Decimal] = {}
        self._calls = self._unpriced = 0
        self._errors: dict[str, None] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self) -> None:
        """Price the calls of a test before its fixtures are torn down."""
        self._ledger.spend.price_calls()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Add the sums of a process of pytest-xdist."""
        output = getattr(node, "workeroutput", {}).get(_OUTPUT)
        if output is not None:
            self._add(*output)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Pass the sums on, or compare them with the limit."""
        self._ledger.close()
        spend = self._ledger.spend
        by_provider = {provider: str(usd) for provider, usd in spend.by_provider.items()}
        output = (by_provider, spend.calls, spend.unpriced, list(self._ledger.errors))
        worker: Any = getattr(self._config, "workeroutput", None)
        if worker is not None:
            worker[_OUTPUT] = output
            return
        self._add(*output)
        if self._too_much and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the total."""
        from recost._money import format_usd  # noqa: PLC0415 - see above
        from recost._text import printable  # noqa: PLC0415

        total = f"recost: {format_usd(self._total)} in {self._calls} calls"
        unpriced = f", {self._unpriced} of unknown price" if self._unpriced else ""
        dearest = sorted(self._usd.items(), key=_dearest)
        parts = [f"{provider} {format_usd(usd)}" for provider, usd in dearest if usd]
        terminalreporter.write_line(total + unpriced + (f" ({', '.join(parts)})" if parts else ""))
        for error in self._errors:
            terminalreporter.write_line(printable(error))
        if self._limit is not None and self._too_much:
            limit = f"recost: more than the {format_usd(self._limit)} of --recost-max-usd"
            terminalreporter.write_line(limit, red=True)

    @property
    def _total(self) -> Decimal:
        return sum(self._usd.values(), Decimal(0))

    @property
    def _too_much(self) -> bool:
        return self._limit is not None and self._total > self._limit

    def _add(self, usd: dict[str, str], calls: int, unpriced: int, errors: list[str]) -> None:
        self._errors.update(dict.fromkeys(errors))
        for provider, amount in usd.items():
            self._usd[provider] = self._usd.get(provider, Decimal(0)) + Decimal(amount)
        self._calls += calls
        self._unpriced += unpriced


def _dearest(item: tuple[str, Decimal]) -> tuple[Decimal, str]:
    return -item[1], item[0]


def _amount(text: str) -> Decimal:
    from recost._money import as_amount  # noqa: PLC0415 - see above

    amount = as_amount(text)
    if amount is None:
        raise ValueError(f"got {text!r}, expected US dollars, such as 0.50")
    return amount
