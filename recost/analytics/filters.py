"""Errors for filters that match nothing recorded, usually because a name is misspelled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Optional

from recost._validate import nearest
from recost.analytics.query import Question, QuestionError
from recost.analytics.recorded import extent, tag_names
from recost.analytics.report import ask
from recost.analytics.store import Readings, select_files

__all__ = ["FILTERS", "refuse_unknown_tags", "refuse_unmatched", "refuse_unreadable"]

FILTERS: Final = {
    "provider": ("providers", "provider"),
    "endpoint": ("endpoints", "endpoint"),
    "model": ("models", "model"),
    "tag": ("tags", ""),
    "env": ("environments", "environment"),
    "project": ("projects", "project"),
}
"""By option: the field of a `Question`, and the dimension that lists the recorded names."""
_EVERYTHING: Final = Question(by=())
_SHOWN: Final = 8
_LONGEST: Final = 60
_CANDIDATES: Final = 1000
"""Maximum number of names that a misspelled one is compared with."""


def refuse_unmatched(readings: Readings, filters: Mapping[str, Sequence[Any]]) -> None:
    """Raise an error for filters that match nothing in the files, in any period.

    Args:
        readings: The files.
        filters: The values given for each of `FILTERS`.

    Raises:
        QuestionError: A filter matches nothing, or all filters together do. The message lists recorded names.
    """
    if not any(filters.values()) or select_files(readings) is None:
        return
    for option, given in filters.items():
        for each in dict.fromkeys(given):
            if not _matches(readings, _only({option: (each,)})):
                raise QuestionError(_refusal(readings, option, each))
    if not _matches(readings, _only(filters)):
        raise QuestionError(_refusal_of_all(filters))


def refuse_unreadable(readings: Readings) -> None:
    """Raise an error for files that have malformed lines only.

    Raises:
        QuestionError: There are malformed lines and no window.
    """
    if readings.bad_lines and extent(readings, _EVERYTHING) is None:
        lines = "1 line is" if readings.bad_lines == 1 else f"{readings.bad_lines:,} lines are"
        raise QuestionError(f"recost: nothing could be read: {lines} malformed (-v lists them)")


def refuse_unknown_tags(readings: Readings, by: Iterable[str]) -> None:
    """Raise an error for a dimension that is a tag which no call has, in any period.

    Raises:
        QuestionError: The tag was never recorded. The message lists recorded tags.
    """
    asked = [name for name in by if name.startswith("tag:")]
    if not asked or select_files(readings) is None:
        return
    names = tag_names(readings)
    for name in asked:
        tag = name.removeprefix("tag:")
        if tag not in names:
            raise QuestionError(_message(f"--by {name[: 2 * _LONGEST]!r}", tag, "tags", names))


def _only(filters: Mapping[str, Sequence[Any]]) -> Question:
    given: dict[str, Any] = {FILTERS[option][0]: tuple(values) for option, values in filters.items()}
    return replace(_EVERYTHING, **given)


def _matches(readings: Readings, question: Question) -> bool:
    total = ask(readings, question).total.now
    return bool(total.calls or total.cost_usd)


def _refusal(readings: Readings, option: str, given: Any) -> str:
    name, text = (given[0], "=".join(given)) if option == "tag" else (None, given)
    known = _known(readings, option, name)
    wanted = given[1] if option == "tag" and known is not None else name or given
    names = tag_names(readings) if known is None else known
    others = f"values of {name}" if name is not None else f"{FILTERS[option][1]}s"
    what = "tags" if known is None else others
    return _message(f"--{option} {text[: 2 * _LONGEST]!r}", wanted, what, names)


def _message(asked: str, wanted: str, what: str, names: list[str]) -> str:
    close = nearest(wanted, names[:_CANDIDATES])
    shown = names if close is None else list(dict.fromkeys([close, *names]))
    listed = ", ".join(each[:_LONGEST] or "(blank)" for each in shown[:_SHOWN])
    more = f" and {len(shown) - _SHOWN:,} more" * (len(shown) > _SHOWN)
    there = f"recorded {what} are: {listed}{more}" if shown else f"no {what} are recorded"
    return f"recost: {asked} matches nothing that was recorded; {there}"


def _refusal_of_all(filters: Mapping[str, Sequence[Any]]) -> str:
    """Return the message for filters that match something each, but nothing together."""
    named = [
        f"--{option} {('='.join(each) if option == 'tag' else each)[: 2 * _LONGEST]!r}"
        for option, given in filters.items()
        for each in given
    ]
    more = f" and {len(named) - _SHOWN:,} more" * (len(named) > _SHOWN)
    message = f"recost: {' '.join(named[:_SHOWN])}{more} together match nothing that was recorded"
    return f"{message}, although each of them matches something"


def _known(readings: Readings, option: str, tag: Optional[str]) -> Optional[list[str]]:
    """Return the recorded names, highest cost first, or None for the values of a tag that is not recorded."""
    by = FILTERS[option][1] if tag is None else f"tag:{tag}"
    groups = ask(readings, Question(by=(by,))).groups
    names = [group.names[0] for group in groups if group.names[0] is not None]
    return None if tag is not None and not names else names
