"""The end of an SDK's retries when a budget refuses its call.

The SDKs that Stainless generates (openai, anthropic, groq, together, cerebras and many more) catch all errors
of a call, wait and try again. When a call is refused, the SDK that made it is on the stack. So nothing is
patched before that, and no SDK has to be known by name.
"""

from __future__ import annotations

import sys
from types import FrameType, TracebackType
from typing import Any, Callable, Final, Optional

from recost.errors import RecostBudgetExceededError
from recost.interceptors.patching import Patches

__all__ = ["end_retries"]

_SLEEPS: Final = ("_sleep_for_retry", "_retry_request")
"""Methods that the base client calls before a retry: since 2024-11, and before."""
_MAX_FRAMES: Final = 100
_MAX_WRAPPERS: Final = 4
_MAX_CAUSES: Final = 8


def end_retries(patches: Patches) -> None:
    """Patch the SDKs on the stack that would retry the call. Run on the caller's thread."""
    frame: Optional[FrameType] = sys._getframe(1)  # noqa: SLF001 - the documented way to look at one's callers
    for _ in range(_MAX_FRAMES):
        if frame is None:
            break
        if frame.f_code.co_varnames[:1] == ("self",):
            _end_retries_of(type(frame.f_locals.get("self")), patches)
        frame = frame.f_back
    checker = getattr(sys.modules.get("botocore.retries.standard"), "TransientRetryableChecker", None)
    if checker is not None:
        patches.replace(checker, "is_retryable", _not_retryable)


def _end_retries_of(kind: type, patches: Patches) -> None:
    if not hasattr(kind, "_calculate_retry_timeout"):
        return
    for owner in kind.__mro__:
        for name in _SLEEPS:
            if name in owner.__dict__:
                patches.replace(owner, name, _ending)


def _ending(original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
    """Return a replacement of the pause before a retry that raises if the call was refused.

    It also replaces a coroutine function.
    """

    def pause(client: Any, /, *args: Any, **kwargs: Any) -> Any:
        error = _caught_by_caller() if switch else None
        refusal = _refusal_behind(error)
        if error is not None and refusal is not None:
            raise _as_the_sdk_would(client, error, refusal)
        return original(client, *args, **kwargs)

    return pause


def _not_retryable(original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
    """Return a replacement of botocore's check for the retry mode ``standard`` that skips refused calls."""

    def is_retryable(checker: Any, context: Any, *args: Any, **kwargs: Any) -> Any:
        error = context.caught_exception if switch else None
        refusal = getattr(error, "kwargs", {}).get("error")  # of HTTPClientError
        if error is not None and isinstance(refusal, RecostBudgetExceededError):
            error.__cause__ = refusal
            return False
        return original(checker, context, *args, **kwargs)

    return is_retryable


def _caught_by_caller() -> Optional[BaseException]:
    """Return the error that the SDK has just caught.

    An error that the application is handling while it calls the SDK was caught in another frame.
    """
    error = sys.exc_info()[1]
    traceback = None if error is None else error.__traceback__
    frame: Optional[FrameType] = sys._getframe(2)  # noqa: SLF001 - the documented way
    for _ in range(_MAX_WRAPPERS):
        if frame is None or traceback is None:
            return None
        if traceback.tb_frame is frame:
            return error
        frame = frame.f_back
    return None


def _refusal_behind(error: Optional[BaseException]) -> Optional[RecostBudgetExceededError]:
    for _ in range(_MAX_CAUSES):
        if error is None or isinstance(error, RecostBudgetExceededError):
            return error
        error = error.__cause__
    return None


def _as_the_sdk_would(client: Any, error: BaseException, refusal: RecostBudgetExceededError) -> BaseException:
    """Return the error that the SDK raises when it has no retries left, caused by the refusal."""
    if error is not refusal:
        return error  # already wrapped
    for base in type(client).__mro__:
        wrapper: Any = getattr(sys.modules.get(base.__module__), "APIConnectionError", None)
        if wrapper is not None:
            try:
                wrapped: BaseException = wrapper(request=_request_in(refusal.__traceback__))
            except Exception:  # noqa: BLE001 - another SDK with the same names
                return refusal
            wrapped.__cause__ = refusal
            return wrapped
    return refusal


def _request_in(traceback: Optional[TracebackType]) -> Any:
    while traceback is not None:
        request = traceback.tb_frame.f_locals.get("request")
        if hasattr(request, "url"):
            return request
        traceback = traceback.tb_next
    return None
