"""Errors: recost's own failures, and the refusal of a call over budget.

Only RecostBudgetExceededError is raised into the host application, where a budget says so. The others reach
the ``on_error`` callback.

    RecostError                   anything that went wrong inside recost
    ├── RecostAuthError           the API returned 401
    │   └── RecostFatalAuthError  … too often in a row: the cloud transport is suspended
    ├── RecostRateLimitError      the API returned 429
    └── RecostBudgetExceededError a budget is used up: the call was not made
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

__all__ = [
    "RecostAuthError",
    "RecostBudgetExceededError",
    "RecostError",
    "RecostFatalAuthError",
    "RecostRateLimitError",
]


class RecostError(Exception):
    """Something went wrong inside recost. The host application is not affected."""


class RecostAuthError(RecostError):
    """The API refused the key.

    Attributes:
        status: The HTTP status, 401.
        consecutive_failures: Number of 401 responses in a row, this one included.
    """

    def __init__(self, status: int, consecutive_failures: int) -> None:
        super().__init__(
            f"recost: the API returned {status}: unknown API key "
            f"({consecutive_failures} in a row); check api_key / RECOST_API_KEY"
        )
        self.status = status
        self.consecutive_failures = consecutive_failures


class RecostFatalAuthError(RecostAuthError):
    """The API refused the key so often in a row that nothing more is sent until the next ``init()``."""

    def __init__(self, status: int, consecutive_failures: int) -> None:
        super().__init__(status, consecutive_failures)
        message = (
            f"recost: {consecutive_failures} responses in a row were {status}: sending is suspended; "
            "correct api_key / RECOST_API_KEY and call recost.init() again"
        )
        self.args = (message,)


class RecostRateLimitError(RecostError):
    """The API's hourly limit of the project is reached. The window is kept and sent later.

    Attributes:
        retry_after_ms: Milliseconds until recost sends again.
        endpoint: URL of the response, without query.
    """

    def __init__(self, retry_after_ms: int, endpoint: str) -> None:
        super().__init__(
            f"recost: {endpoint} returned 429: rate limit reached; sending again in {retry_after_ms} ms"
        )
        self.retry_after_ms = retry_after_ms
        self.endpoint = endpoint


class RecostBudgetExceededError(RecostError):
    """A budget with ``on_exceed="raise"`` refuses a call. It was not sent.

    Attributes:
        budget: The budget's name.
        spent_usd: What was spent in the current period, in US dollars.
        limit_usd: What may be spent in a period, in US dollars.
        resets_at: When the next period begins, with its time zone. None for a total.
        unpriced: True if the budget is not used up, but refuses calls whose price isn't known.
        unknown: True if its file can't be used, so that the spending of other processes isn't known.
    """

    def __init__(
        self,
        budget: str,
        spent_usd: Decimal,
        limit_usd: Decimal,
        resets_at: Optional[datetime] = None,
        *,
        unpriced: bool = False,
        unknown: bool = False,
    ) -> None:
        from recost._money import format_exact_usd  # noqa: PLC0415 - decimal is slow to import

        spent = f"{format_exact_usd(spent_usd)} of {format_exact_usd(limit_usd)} spent"
        if unpriced:
            reason = f"refuses calls whose price isn't known ({spent})"
        elif unknown:
            reason = f"can't be checked, as its file can't be used: see on_error ({spent} by this process)"
        else:
            until = "" if resets_at is None else f"; it resets at {resets_at.isoformat()}"
            reason = f"is used up ({spent}{until})"
        super().__init__(f"recost: the budget {budget!r} {reason}, so the call was not made")
        self.budget = budget
        self.spent_usd = spent_usd
        self.limit_usd = limit_usd
        self.resets_at = resets_at
        self.unpriced = unpriced
        self.unknown = unknown

    def __reduce__(self) -> tuple[Any, ...]:
        # Process pools and task queues pickle what a task raises.
        why = {"unpriced": self.unpriced, "unknown": self.unknown}
        return _remade, (self.budget, self.spent_usd, self.limit_usd, self.resets_at, why)


def _remade(
    budget: str, spent_usd: Decimal, limit_usd: Decimal, resets_at: Optional[datetime], why: dict[str, bool]
) -> RecostBudgetExceededError:
    return RecostBudgetExceededError(budget, spent_usd, limit_usd, resets_at, **why)
