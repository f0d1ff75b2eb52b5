"""Methods of a class that are replaced on one instance."""

from __future__ import annotations

from types import MethodType
from typing import Any

__all__ = ["ForeignMethod", "give_back", "unbound"]


class ForeignMethod:
    """Another tool's replacement of an instance's method, callable like the class's function."""

    def __init__(self, method: Any) -> None:
        self.method = method

    def __call__(self, _instance: Any, *args: Any, **kwargs: Any) -> Any:
        """Call the method without the instance, which it knows."""
        return self.method(*args, **kwargs)


def unbound(method: Any, instance: Any) -> Any:
    """Return the function of an instance's method, which doesn't refer to the instance."""
    return method.__func__ if getattr(method, "__self__", None) is instance else ForeignMethod(method)


def give_back(instance: Any, name: str, now: Any, stand_in: Any, original: Any) -> None:
    """Restore one method that an object stands in for, unless it has been replaced again meanwhile.

    Args:
        instance: The instance whose method it is.
        name: Name of the method.
        now: The instance's method now.
        stand_in: The object whose method has replaced the original.
        original: Result of `unbound`.
    """
    if getattr(now, "__self__", None) is not stand_in:
        return
    delattr(instance, name)
    method = original.method if type(original) is ForeignMethod else MethodType(original, instance)
    if getattr(instance, name) != method:  # it was not the class's method, but the instance's own
        setattr(instance, name, method)
