"""Wrapper of ``HTTPConnection.putrequest``, through which each call of clients on top of http.client goes.

A call that is passed on as ``*args, **kwargs`` takes a multiple of the time of one that is passed on as it
came. About the name of this file, see `_calls_importlib_bootstrap`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, Optional

from recost.errors import RecostBudgetExceededError
from recost.interceptors._calls_importlib_bootstrap import after
from recost.interceptors._containment import contain
from recost.interceptors.context import current
from recost.interceptors.exchange import Exchange
from recost.interceptors.signatures import takes

__all__ = ["after_putrequest"]

Begun = Callable[[Any, Optional[Exchange], Any, Any], None]
"""``begun(connection, outer, method, url)``. ``outer`` is the exchange that the running code is part of."""

_PARAMETERS: Final = ("method", "url", "skip_host", "skip_accept_encoding")
_DEFAULTS: Final = (False, False)


def after_putrequest(original: Callable[..., Any], switch: list[bool], begun: Begun) -> Callable[..., Any]:
    """Return a method that calls ``begun`` after it has succeeded.

    It doesn't do so for a connection of the urllib3 pool whose call is the current one, unless the connection
    must count the body.
    """
    if not takes(original, _PARAMETERS, defaults=_DEFAULTS):
        return after(original, switch, partial(_unpack, begun))

    def putrequest(
        connection: Any, method: Any, url: Any, skip_host: Any = False, skip_accept_encoding: Any = False
    ) -> Any:
        result = original(connection, method, url, skip_host, skip_accept_encoding)
        if switch:
            try:
                outer = current.get()
                if (
                    outer is None
                    or not outer.active
                    or outer.request_bytes < 0
                    or type(connection) is not getattr(outer.owner, "ConnectionCls", None)
                ):
                    begun(connection, outer, method, url)
            except RecostBudgetExceededError:
                raise
            except BaseException as error:  # noqa: BLE001 - contain() raises what is not ours
                contain(error)
        return result

    return putrequest


def _unpack(begun: Begun, connection: Any, args: Any, kwargs: Any) -> None:
    method = args[0] if args else kwargs["method"]
    url = args[1] if len(args) > 1 else kwargs["url"]
    begun(connection, current.get(), method, url)
