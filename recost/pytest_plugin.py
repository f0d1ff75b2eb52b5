"""pytest: what the calls of a test, and of a whole run, cost.

    pytest --recost                     says so at the end
    pytest --recost-max-usd 0.50        fails the run besides, when it cost more

The fixture ``recost_spend`` is the `recost.Spend` of one test. All calls of the process count while it runs,
on whichever thread; answers are looked at for what they report, as with ``capture_usage``. Nothing is
written or sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final, Optional

import pytest

if TYPE_CHECKING:
    from recost.attribution import Spend
    from recost.interceptors.exchange import Exchange
    from recost.pricing.cost import Cost

__all__ = ["recost_spend"]

_RUN: Final = "pytest-run"
_TEST: Final = "pytest-test"
_OUTPUT: Final = "recost"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("recost", "what outbound API calls cost")
    group.addoption("--recost", action="store_true", help="say what the calls of the run cost")
    group.addoption(
        "--recost-max-usd", type=_amount, metavar="USD", help="fail the run when its calls cost more"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Begin to sum up, where that is asked for."""
    if config.getoption("--recost") or config.getoption("--recost-max-usd") is not None:
        config.pluginmanager.register(_Bookkeeper(config), "recost-bookkeeper")


@pytest.fixture
def recost_spend() -> Iterator[Spend]:
    """What the calls of this test cost."""
    ledger = _Ledger(_TEST)
    yield ledger.spend
    ledger.close()


class _Ledger:
    """Sums up every call of the process."""

    def __init__(self, name: str) -> None:
        from recost.attribution import Spend  # noqa: PLC0415 - most runs of pytest don't ask for it
        from recost.interceptors import interception  # noqa: PLC0415
        from recost.lifecycle import current_handle  # noqa: PLC0415
        from recost.metering import Meter  # noqa: PLC0415
        from recost.pricing.registry import ProviderRegistry  # noqa: PLC0415

        self._name = name
        self._interception = interception
        self._handle = current_handle
        self._meter = Meter(ProviderRegistry(), report=lambda _error: None)
        self.spend = Spend(self._price)
        interception.add(name, self.spend.collect, metered=self._meter.wanted)

    def close(self) -> None:
        self._interception.remove(self._name)

    def _price(self, exchange: Exchange) -> Optional[Cost]:
        handle = self._handle()  # of the application, which may have rules of its own
        return self._meter.cost_of(exchange) if handle is None else handle.cost_of(exchange)


class _Bookkeeper:
    """Sums up a run, over all processes of pytest-xdist."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._limit: Optional[Decimal] = config.getoption("--recost-max-usd")
        self._ledger = _Ledger(_RUN)
        self._usd: dict[str, Decimal] = {}
        self._calls = self._unpriced = 0

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self) -> None:
        """Price the calls of a test while what it has set up is there."""
        self._ledger.spend.settle()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Add what a process of pytest-xdist has seen."""
        output = getattr(node, "workeroutput", {}).get(_OUTPUT)
        if output is not None:
            self._add(*output)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Hand the sums on, or judge them."""
        self._ledger.close()
        spend = self._ledger.spend
        by_provider = {provider: str(usd) for provider, usd in spend.by_provider.items()}
        output = (by_provider, spend.calls, spend.unpriced)
        worker: Any = getattr(self._config, "workeroutput", None)
        if worker is not None:
            worker[_OUTPUT] = output
            return
        self._add(*output)
        if self._too_much and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what it came to."""
        total = f"recost: ${_shown(self._total)} in {self._calls} calls"
        unpriced = f", {self._unpriced} of unknown price" if self._unpriced else ""
        parts = [
            f"{provider} ${_shown(usd)}" for provider, usd in sorted(self._usd.items(), key=_dearest) if usd
        ]
        terminalreporter.write_line(total + unpriced + (f" ({', '.join(parts)})" if parts else ""))
        if self._too_much:
            limit = f"recost: more than the ${_shown(self._limit)} of --recost-max-usd"
            terminalreporter.write_line(limit, red=True)

    @property
    def _total(self) -> Decimal:
        return sum(self._usd.values(), Decimal(0))

    @property
    def _too_much(self) -> bool:
        return self._limit is not None and self._total > self._limit

    def _add(self, usd: dict[str, str], calls: int, unpriced: int) -> None:
        for provider, amount in usd.items():
            self._usd[provider] = self._usd.get(provider, Decimal(0)) + Decimal(amount)
        self._calls += calls
        self._unpriced += unpriced


def _dearest(item: tuple[str, Decimal]) -> tuple[Decimal, str]:
    return -item[1], item[0]


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount < 0:
        raise ValueError(f"got {text!r}, wanted US dollars, such as 0.50")
    return amount


def _shown(usd: Optional[Decimal]) -> str:
    """Return an amount with at most six decimals, and no more zeros than cents have."""
    whole, _, rest = f"{usd or Decimal(0):.6f}".partition(".")
    return f"{whole}.{rest.rstrip('0'):0<2}"
