"""Costs over time of which the truth is known, made at random with a seed."""

from __future__ import annotations

import random

DAYS = ("flat", "week", "trend", "shift", "sparse", "bursty")
WEEK = (1.0, 1.1, 1.05, 1.0, 0.9, 0.4, 0.35)


def days_of(kind: str, count: int, chance: random.Random, shift_at: int = 0) -> list[float]:
    """Return what each day cost.

    Args:
        kind: One of `DAYS`.
        count: How many days.
        chance: What is drawn from.
        shift_at: The day at which a shift doubles the level and more.
    """
    return [_day(kind, index, chance, shift_at) for index in range(count)]


def _day(kind: str, index: int, chance: random.Random, shift_at: int) -> float:
    if kind == "sparse":
        return chance.gammavariate(2, 10) if chance.random() < 0.25 else 0.0
    if kind == "bursty":
        return 20 * chance.lognormvariate(0, 0.9)
    level = 20.0
    if kind == "trend":
        level *= 1 + 0.01 * index
    if kind == "shift" and index >= shift_at:
        level *= 2.25
    if kind != "flat":
        level *= WEEK[index % 7]
    return level * chance.lognormvariate(0, 0.15)


HOURS = ("week", "weekend", "trend", "shift", "bursty")
_DAY = (0.2,) * 7 + (1.0, 1.5, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 1.5, 1.0, 0.7, 0.5, 0.4, 0.3, 0.2, 0.2)


def hours_of(kind: str, days: int, chance: random.Random, shift_at: int = 0) -> list[float]:
    """Return what each hour cost, from a Monday on.

    Args:
        kind: One of `HOURS`, or ``sparse``.
        days: How many.
        chance: What is drawn from.
        shift_at: The day at which a shift doubles the level and more.
    """
    return [_hour(kind, day, hour, chance, shift_at) for day in range(days) for hour in range(24)]


def _hour(kind: str, day: int, hour: int, chance: random.Random, shift_at: int) -> float:
    if kind == "sparse":
        return chance.gammavariate(2, 10) if chance.random() < 0.06 else 0.0
    if kind == "bursty":
        return 2 * chance.lognormvariate(0, 1)
    level = 5 * _DAY[hour] * WEEK[day % 7]
    if kind == "weekend":  # with a course of its own
        level = 5 * _DAY[hour] if day % 7 < 5 else 1.0
    if kind == "trend":
        level *= 1 + 0.01 * day
    if kind == "shift" and day >= shift_at:
        level *= 2.25
    return level * chance.lognormvariate(0, 0.25)
