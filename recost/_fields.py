"""A dataclass with a default for each field, whose making imports and compiles nothing.

`dataclasses` imports `inspect`, and compiles text for each class. Both take longer than the rest of
``init()``. The functions of `dataclasses` work with such a class: they get its fields when they ask for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, Final, Optional

__all__ = ["Field", "dataclass", "field", "fields"]

_FIELDS: Final = "_recost_fields"
_LATE: Final = ("__dataclass_fields__", "__dataclass_params__")
"""Attributes of the class that are made when they are asked for."""


class Field:
    """One field: its name, its default or what makes it, and its metadata."""

    __slots__ = ("default", "default_factory", "metadata", "name")

    def __init__(
        self, default: Any, default_factory: Optional[Callable[[], Any]], metadata: Mapping[str, Any]
    ) -> None:
        self.name = ""
        self.default = default
        self.default_factory = default_factory
        self.metadata = metadata

    def make_default(self) -> Any:
        """Return the default of one instance."""
        return self.default if self.default_factory is None else self.default_factory()


def field(
    *, default: Any = None, default_factory: Optional[Callable[[], Any]] = None, metadata: Mapping[str, Any]
) -> Any:
    """Return the declaration of a field."""
    return Field(default, default_factory, metadata)


def fields(cls: Any) -> tuple[Field, ...]:
    """Return the fields of such a class, or of an instance."""
    found: tuple[Field, ...] = getattr(cls, _FIELDS)
    return found


def dataclass(cls: Any) -> Any:
    """Add what `dataclasses.dataclass` adds: ``__init__``, ``__eq__``, and the fields themselves.

    ``__init__`` takes one default for another object than the class attribute where a factory makes it.
    """
    found = []
    for name in cls.__annotations__:
        declared = cls.__dict__.get(name)
        if isinstance(declared, Field):
            declared.name = name
            found.append(declared)
            if declared.default_factory is None:
                setattr(cls, name, declared.default)
            else:
                delattr(cls, name)
    setattr(cls, _FIELDS, tuple(found))
    cls.__init__ = _init
    cls.__eq__ = _eq
    cls.__hash__ = None
    setattr(cls, "__match_args__", tuple(each.name for each in found))  # noqa: B010 - mypy knows it as final
    for name in _LATE:
        setattr(cls, name, _LazyAttribute(name))
    cls.__signature__ = _Signature()
    cls.__replace__ = _replace
    return cls


def _init(self: Any, *args: Any, **kwargs: Any) -> None:
    declared = fields(self)
    call = f"{type(self).__name__}.__init__()"
    if len(args) > len(declared):
        raise TypeError(f"{call} takes at most {len(declared)} arguments, got {len(args)}")
    given = {each.name: value for each, value in zip(declared, args)}
    for name in kwargs:
        if name in given:
            raise TypeError(f"{call} got multiple values for argument {name!r}")
    given.update(kwargs)
    for each in declared:
        setattr(self, each.name, given.pop(each.name) if each.name in given else each.make_default())
    for name in given:
        raise TypeError(f"{call} got an unexpected keyword argument {name!r}")
    self.__post_init__()


def _replace(self: Any, **changes: Any) -> Any:
    import dataclasses  # noqa: PLC0415 - slow to import

    return dataclasses.replace(self, **changes)


def _eq(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    return all(getattr(self, each.name) == getattr(other, each.name) for each in fields(self))


def _twin(cls: Any) -> Any:
    """Return the same class as `dataclasses` makes it."""
    import dataclasses  # noqa: PLC0415 - slow to import

    body: dict[str, Any] = {"__annotations__": {}, "__module__": cls.__module__}
    for each in fields(cls):
        body["__annotations__"][each.name] = cls.__annotations__[each.name]
        more = (
            {"default": each.default}
            if each.default_factory is None
            else {"default_factory": each.default_factory}
        )
        body[each.name] = dataclasses.field(metadata=each.metadata, **more)
    return dataclasses.dataclass(repr=False)(type(cls.__name__, (), body))


class _LazyAttribute:
    """An attribute of the class that only `dataclasses` and its users ask for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: Any) -> Any:
        home = next(cls for cls in owner.__mro__ if _FIELDS in vars(cls))
        twin = _twin(home)
        for name in _LATE:
            setattr(home, name, getattr(twin, name))
        return getattr(home, self._name)


class _Signature:
    """The signature of the class, but not of those that inherit from it."""

    def __get__(self, instance: Any, owner: Any) -> Any:
        if _FIELDS not in vars(owner):
            raise AttributeError("__signature__")
        import inspect  # noqa: PLC0415 - slow to import

        return inspect.signature(_twin(owner))
