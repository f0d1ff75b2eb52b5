"""What recost reports of its own failures.

None of these is raised into the host application; they reach the ``on_error`` callback.

    RecostError                   anything that went wrong inside recost
    ├── RecostAuthError           the API answered 401
    │   └── RecostFatalAuthError  … too often in a row: the cloud transport is suspended
    └── RecostRateLimitError      the API answered 429
"""

from __future__ import annotations

__all__ = ["RecostAuthError", "RecostError", "RecostFatalAuthError", "RecostRateLimitError"]


class RecostError(Exception):
    """Something went wrong inside recost; the host application is not affected."""


class RecostAuthError(RecostError):
    """The API refused the key.

    Attributes:
        status: The HTTP status, 401.
        consecutive_failures: How many answers in a row were 401, this one included.
    """

    def __init__(self, status: int, consecutive_failures: int) -> None:
        super().__init__(
            f"recost: the API answered {status}: unknown API key "
            f"({consecutive_failures} in a row); check api_key / RECOST_API_KEY"
        )
        self.status = status
        self.consecutive_failures = consecutive_failures


class RecostFatalAuthError(RecostAuthError):
    """The API refused the key so often in a row that nothing more is sent until the next ``init()``."""

    def __init__(self, status: int, consecutive_failures: int) -> None:
        super().__init__(status, consecutive_failures)
        message = (
            f"recost: {consecutive_failures} answers in a row were {status}: sending is suspended; "
            "correct api_key / RECOST_API_KEY and call recost.init() again"
        )
        self.args = (message,)


class RecostRateLimitError(RecostError):
    """The API's hourly limit of the project is reached; the window is kept and sent later.

    Attributes:
        retry_after_ms: How long recost waits before it sends again, in milliseconds.
        endpoint: The URL that answered, without query.
    """

    def __init__(self, retry_after_ms: int, endpoint: str) -> None:
        super().__init__(
            f"recost: {endpoint} answered 429: rate limit reached; sending again in {retry_after_ms} ms"
        )
        self.retry_after_ms = retry_after_ms
        self.endpoint = endpoint
