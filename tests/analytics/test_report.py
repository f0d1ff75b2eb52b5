"""Every figure of a report equals a plain sum over the lines."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Optional
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recost.analytics.periods import Period
from recost.analytics.query import Question, QuestionError
from recost.analytics.report import Figures, Group, Report, ask
from recost.analytics.store import consult
from tests.analytics.corpora import START, Plain, Sums, corpora, few

pytest.importorskip("duckdb")


@contextmanager
def written(*files: list[bytes]) -> Iterator[tuple[Path, bytes]]:
    """Yield a telemetry folder with these files, and all their bytes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for index, lines in enumerate(files):
            (folder / (f"shop.{index}.jsonl" if index else "shop.jsonl")).write_bytes(
                b"".join(line + b"\n" for line in lines)
            )
        yield folder, b"".join(line + b"\n" for lines in files for line in lines)


def answer(folder: Path, question: Question, *paths: str) -> Report:
    return consult(paths, folder, lambda found: ask(found, question))


def agree(figures: Figures, sums: Sums, *, breakdown: bool = False, errors: bool = True) -> None:
    assert figures.calls == sums.calls
    assert figures.cost_usd == sums.cost_usd
    assert figures.unpriced == sums.unpriced
    if errors:
        assert figures.errors == sums.errors
    if breakdown:
        assert {figures.bytes_up, figures.p95_ms, figures.reported_usd} == {None}
        return
    assert (figures.bytes_up, figures.bytes_down) == (sums.bytes_up, sums.bytes_down)
    assert figures.reported_usd == sums.reported_usd
    assert figures.computed_usd == sums.computed_usd
    assert figures.estimated_usd == sums.estimated_usd
    assert figures.flat_usd == sums.flat_usd
    assert figures.p95_ms == (sums.p95_ms if sums.p95_ms is None else pytest.approx(sums.p95_ms))


def something(sums: Sums) -> bool:
    return any((sums.calls, sums.errors, sums.cost_usd, sums.unpriced))


@few
@given(corpora, corpora)
def test_by_provider_and_endpoint(first: list[bytes], second: list[bytes]) -> None:
    with written(first, second) as (folder, data):
        plain = Plain.of(data)
        found = answer(folder, Question(by=("provider", "endpoint")))
        expected = plain.grouped(lambda _when, _env, entry: [(entry["provider"], entry["endpoint"])])
        for group in found.groups:
            agree(group.now, expected[group.names])
        shown = {group.names for group in found.groups}
        assert shown >= {names for names, sums in expected.items() if something(sums)}
        agree(found.total.now, plain.total())
        assert (found.bad_lines, found.bad_metrics) == (len(plain.bad), plain.bad_metrics)
        costs = [group.now.cost_usd for group in found.groups]
        assert costs == sorted(costs, reverse=True)


@few
@given(corpora, st.integers(1, 4))
def test_what_the_limit_leaves_out_is_in_the_rest(lines: list[bytes], limit: int) -> None:
    with written(lines) as (folder, data):
        found = answer(folder, Question(by=("method", "environment"), limit=limit))
        rest = [] if found.rest is None else [found.rest.now]
        assert len(found.groups) + found.rest_count <= 4
        parts = [*(group.now for group in found.groups), *rest]
        total = Plain.of(data).total()
        assert sum(part.calls for part in parts) == total.calls
        assert sum((part.cost_usd for part in parts), Decimal(0)) == pytest.approx(total.cost_usd)
        agree(found.total.now, total)


@few
@given(corpora)
def test_by_model(lines: list[bytes]) -> None:
    with written(lines) as (folder, data):
        plain = Plain.of(data)
        found = answer(folder, Question(by=("model",)))
        expected = plain.by_part("models", lambda part: str(part["model"]))
        _parts_agree(found, {name: sums for name, sums in expected.items() if something(sums)}, errors=False)
        agree(found.total.now, plain.total())


@few
@given(corpora, st.sampled_from(["tag:tenant", "route", "tag:nothing"]))
def test_by_tag(lines: list[bytes], by: str) -> None:
    tag = by.replace("tag:", "")

    def value(part: dict[str, object]) -> Optional[str]:
        tags = part.get("tags")
        return "(other)" if part.get("other") else tags.get(tag) if isinstance(tags, dict) else None

    with written(lines) as (folder, data):
        plain = Plain.of(data)
        found = answer(folder, Question(by=(by,)))
        expected = plain.by_part("tags", value)
        _parts_agree(found, {name: sums for name, sums in expected.items() if something(sums)})
        agree(found.total.now, plain.total())


def _parts_agree(found: Report, expected: dict[Optional[str], Sums], *, errors: bool = True) -> None:
    groups = {group.names[0]: group for group in found.groups}
    for name, sums in expected.items():
        agree(groups[name].now, sums, breakdown=True, errors=errors)
    assert not [name for name, group in groups.items() if name not in expected and group.now.cost_usd]


@few
@given(
    corpora,
    st.sampled_from(["hour", "day", "week", "month"]),
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu"]),
)
def test_by_time_in_a_zone(lines: list[bytes], unit: str, zone: str) -> None:
    there = ZoneInfo(zone)

    def name(when: object, _environment: str, _entry: object) -> list[tuple[Optional[str]]]:
        local = when.astimezone(there)  # type: ignore[attr-defined]
        if unit == "week":
            local -= timedelta(days=local.weekday())
        return [(local.strftime({"hour": "%Y-%m-%d %H:00", "month": "%Y-%m"}.get(unit, "%Y-%m-%d")),)]

    with written(lines) as (folder, data):
        found = answer(folder, Question(by=(unit,), zone=there))
        expected = Plain.of(data).grouped(name)
        for group in found.groups:
            agree(group.now, expected[group.names])
        shown = [group.names for group in found.groups]
        assert shown == sorted(shown)
        assert set(shown) >= {names for names, sums in expected.items() if something(sums)}


@few
@given(corpora, st.integers(1, 96), st.integers(1, 48))
def test_the_period_and_the_one_before(lines: list[bytes], begin: int, length: int) -> None:
    since = START + timedelta(hours=begin)
    period = Period(since, since + timedelta(hours=length))
    before = period.before(since)
    with written(lines) as (folder, data):
        found = answer(folder, Question(by=("provider",), period=period, compare=before))
        plain = Plain.of(data)

        def within(span: Period) -> dict[tuple[Optional[str], ...], Sums]:
            assert span.since is not None
            assert span.until is not None
            inside = [each for each in plain.entries if span.since <= each[0] < span.until]
            return Plain(inside).grouped(lambda _when, _env, entry: [(entry["provider"],)])

        now, then = within(period), within(before)
        compared = then if found.recorded_since is None else {}
        for group in found.groups:
            agree(group.now, now.get(group.names, Sums()))
            assert (group.before is not None) == (found.recorded_since is None)
            if group.before is not None:
                agree(group.before, then.get(group.names, Sums()))
        assert {group.names for group in found.groups} >= {
            n for n, sums in {**now, **compared}.items() if something(sums)
        }


@few
@given(corpora)
def test_filters(lines: list[bytes]) -> None:
    with written(lines) as (folder, data):
        plain = Plain.of(data)
        question = Question(by=(), providers=("open*", "100%_!*"), environments=("test",))
        wanted = [
            each for each in plain.entries
            if each[1] == "test" and (each[2]["provider"].startswith(("open", "100%_!")))
        ]  # fmt: skip
        agree(answer(folder, question).total.now, Plain(wanted).total())
        models = plain.by_part("models", lambda part: str(part["model"]))
        total = answer(folder, Question(by=("provider",), models=("gpt-*",))).total.now
        agree(total, models.get("gpt-4o", Sums()), breakdown=True, errors=False)
        tenants = plain.by_part("tags", lambda part: part.get("tags", {}).get("tenant"))
        total = answer(
            folder, Question(by=("provider",), tags=(("tenant", "acme"), ("tenant", "b")))
        ).total.now
        assert total.calls == sum(tenants.get(name, Sums()).calls for name in ("acme", "b"))


def test_projects_are_files(tmp_path: Path) -> None:
    line = b'{"protocolVersion":"1.0","windowStart":"2026-03-27T00:00:00.000Z","metrics":[%s]}\n'
    metric = (
        b'{"provider":"p","endpoint":"e","method":"GET","requestCount":%d,"errorCount":0,'
        b'"estimatedCostCents":0.1}'
    )
    for count, name in enumerate(["a.jsonl", "a.1.jsonl", "b.jsonl", "b.22.jsonl"], 1):
        (tmp_path / name).write_bytes(line % (metric % count))
    (tmp_path / "b.budgets.json").write_text("{}")
    groups = answer(tmp_path, Question(by=("project",), sort="name")).groups
    assert [(group.names, group.now.calls) for group in groups] == [(("a",), 3), (("b",), 7)]
    assert groups[0].now.cost_usd == Decimal("0.002")
    only = answer(tmp_path, Question(by=(), projects=("b",)))
    assert isinstance(only.total, Group)
    assert only.total.now.calls == 7
    assert answer(tmp_path, Question(by=()), str(tmp_path / "a*.jsonl")).total.now.calls == 3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"by": ("provider", "model", "day")}, "at most two"),
        ({"by": ("day", "day")}, "duplicate dimension"),
        ({"by": ("supplier",)}, "expected one of provider"),
        ({"by": ("tag:",)}, "invalid dimension"),
        ({"by": ("model", "tag:tenant")}, "cannot be combined"),
        ({"models": ("x",), "tags": (("a", "b"),)}, "cannot be combined"),
        ({"sort": "colour"}, "invalid order"),
        ({"limit": 0}, "at least 1"),
    ],
)
def test_questions_that_cannot_be_answered(options: dict[str, object], words: str) -> None:
    with pytest.raises(QuestionError, match=words):
        Question(**options)  # type: ignore[arg-type]
