"""Every question has the same answer over files and over a database, and it is that of plain sums."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Optional
from zoneinfo import ZoneInfo

import pytest

pytest.importorskip("duckdb")
from hypothesis import given, settings
from hypothesis import strategies as st

from recost.analytics.periods import Period
from recost.analytics.query import DIMENSIONS, SORTS, Question, QuestionError
from recost.analytics.recorded import extent, places, tag_costs, tag_names
from recost.analytics.report import Figures, Group, Report, ask
from recost.analytics.store import Readings, consult
from recost.analytics.timeseries import series_of, trends
from recost.analytics.waste import Waste, find_waste
from tests.analytics.corpora import START, Plain, few, good_lines
from tests.analytics.test_report import agree, written
from tests.databases.stored import stored

ENGINES = ["postgresql", pytest.param("clickhouse", marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
fewer = settings(few, max_examples=8)
"""For an engine that takes longer."""
NOW = START + timedelta(days=6)
lines = st.lists(good_lines, max_size=8)
zones = st.sampled_from([timezone.utc, *map(ZoneInfo, ("Europe/Berlin", "Asia/Kathmandu"))])
dimensions = st.sampled_from([*DIMENSIONS, "tag:tenant", "tag:nothing"])
instants = st.one_of(
    st.integers(-24, 6 * 24).map(lambda hours: START + timedelta(hours=hours)),
    st.integers(0, 5 * 86_400_000).map(lambda millis: START + timedelta(milliseconds=millis)),
)


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """Make a question of any kind."""
    while True:
        bounds = sorted(draw(st.lists(instants, min_size=2, max_size=2, unique=True)))
        since, until = (draw(st.sampled_from([None, each])) for each in bounds)
        period = Period(since, until)
        compare = None if since is None or not draw(st.booleans()) else period.before(NOW)
        try:
            return Question(
                by=tuple(draw(st.lists(dimensions, max_size=2, unique=True))),
                period=period,
                zone=draw(zones),
                compare=compare,
                sort=draw(st.sampled_from([None, *SORTS[:-1], *(["change"] if compare else [])])),
                limit=draw(st.sampled_from([None, 1, 3])),
                providers=draw(st.sampled_from([(), (), ("open*", "100%_!\\*"), ("*'*", "ünï")])),
                endpoints=draw(st.sampled_from([(), (), ("*a*",), ("stripe",)])),
                models=draw(st.sampled_from([(), (), (), ("gpt-*",)])),
                tags=draw(
                    st.sampled_from([(), (), (), (("tenant", "acme"), ("tenant", "")), (("route", "/*"),)])
                ),
                environments=draw(st.sampled_from([(), (), ("test",)])),
                projects=draw(st.sampled_from([(), (), ("sh*",), ("other",), ("missing",)])),
            )
        except QuestionError:
            continue  # a combination that no window records


def alike(found: Any, expected: Any) -> bool:
    """Tell whether figures are the same, but for the order in which floats were added."""
    return type(found) is type(expected) and all(
        value == (pytest.approx(vars(expected)[name]) if name.endswith("_ms") else vars(expected)[name])
        for name, value in vars(found).items()
    )


def groups_alike(found: Optional[Group], expected: Optional[Group]) -> bool:
    if found is None or expected is None:
        return found is expected
    before = found.before is None is expected.before is None or alike(found.before, expected.before)
    return found.names == expected.names and alike(found.now, expected.now) and before


def reports_alike(found: Report, expected: Report) -> None:
    if found.question.sort in {"p50", "p95"}:  # means that are close to each other may change places
        assert {each.names for each in found.groups} == {each.names for each in expected.groups}
    else:
        assert [each.names for each in found.groups] == [each.names for each in expected.groups]
        for ours, theirs in zip(found.groups, expected.groups):
            assert groups_alike(ours, theirs), (ours, theirs)
        assert groups_alike(found.rest, expected.rest)
    assert groups_alike(found.total, expected.total), (found.total, expected.total)
    assert (found.rest_count, found.recorded_since) == (expected.rest_count, expected.recorded_since)


def compared(
    kind: str, first: list[bytes], second: list[bytes], use: Callable[[Readings], Any]
) -> tuple[Any, Any]:
    """Return what a function gets from a database, and from files with the same windows."""
    here = stored(kind)
    here.fill(shop=first, other=second)
    with written(first) as (folder, _):
        (folder / "other.jsonl").write_bytes(b"".join(line + b"\n" for line in second))
        return here.ask(use), consult((), folder, use)


def check_reports_are_those_of_files(
    kind: str, first: list[bytes], second: list[bytes], asked: list[Question]
) -> None:
    def use(found: Readings) -> list[Report]:
        return [ask(found, question) for question in asked]

    for ours, theirs in zip(*compared(kind, first, second, use)):
        reports_alike(ours, theirs)


@few
@given(lines, lines, st.lists(questions(), min_size=4, max_size=4))
def test_reports_are_those_of_files(first: list[bytes], second: list[bytes], asked: list[Question]) -> None:
    check_reports_are_those_of_files("postgresql", first, second, asked)


@pytest.mark.slow
@pytest.mark.timeout(900)
@fewer
@given(lines, lines, st.lists(questions(), min_size=4, max_size=4))
def test_reports_are_those_of_files_in_clickhouse(
    first: list[bytes], second: list[bytes], asked: list[Question]
) -> None:
    check_reports_are_those_of_files("clickhouse", first, second, asked)


def check_reports_are_plain_sums(kind: str, first: list[bytes]) -> None:
    here = stored(kind)
    here.fill(shop=first)
    plain = Plain.of(b"\n".join(first))

    def use(found: Readings) -> list[Report]:
        return [ask(found, Question(by=by)) for by in (("provider", "endpoint"), ("model",), ("tag:tenant",))]

    whole, by_model, by_tag = here.ask(use)
    expected = plain.grouped(lambda _when, _env, entry: [(entry["provider"], entry["endpoint"])])
    for group in whole.groups:
        agree(group.now, expected[group.names])
    for report, field, name in (
        (by_model, "models", lambda part: part["model"]),
        (by_tag, "tags", lambda part: "(other)" if part.get("other") else part["tags"].get("tenant")),
    ):
        parts = plain.by_part(field, name)
        for group in report.groups:
            agree(group.now, parts[group.names[0]], breakdown=True, errors=False)
    for report in (whole, by_model, by_tag):
        agree(report.total.now, plain.total())


@few
@given(lines)
def test_reports_are_plain_sums(first: list[bytes]) -> None:
    check_reports_are_plain_sums("postgresql", first)


@pytest.mark.slow
@pytest.mark.timeout(900)
@fewer
@given(lines)
def test_reports_are_plain_sums_in_clickhouse(first: list[bytes]) -> None:
    check_reports_are_plain_sums("clickhouse", first)


def check_overviews_trends_and_waste_are_those_of_files(
    kind: str, first: list[bytes], second: list[bytes], asked: Question, many: int
) -> None:
    plain = replace(asked, models=(), tags=(), compare=None)

    def use(found: Readings) -> list[Any]:
        named = ask(found, Question(by=("provider",))).groups
        return [
            extent(found, plain),
            tag_names(found),
            tag_costs(found, plain),
            places(found, "provider", ["openai", "ünï", "nobody"]),
            places(found, "model", ["gpt-4o", "other"]),
            trends(found, replace(Question(by=("provider",)), period=plain.period), named, NOW),
            series_of(found, replace(plain, by=("provider",), sort=None)),
            find_waste(found, plain, many),
        ]

    ours, theirs = compared(kind, first, second, use)
    assert ours[:-1] == theirs[:-1]
    same_waste(ours[-1], theirs[-1])


@few
@given(lines, lines, questions(), st.integers(1, 10**5))
def test_overviews_trends_and_waste_are_those_of_files(
    first: list[bytes], second: list[bytes], asked: Question, many: int
) -> None:
    check_overviews_trends_and_waste_are_those_of_files("postgresql", first, second, asked, many)


@pytest.mark.slow
@pytest.mark.timeout(900)
@fewer
@given(lines, lines, questions(), st.integers(1, 10**5))
def test_overviews_trends_and_waste_are_those_of_files_in_clickhouse(
    first: list[bytes], second: list[bytes], asked: Question, many: int
) -> None:
    check_overviews_trends_and_waste_are_those_of_files("clickhouse", first, second, asked, many)


def same_waste(found: Waste, expected: Waste) -> None:
    def shown(waste: Waste) -> dict[Any, Any]:
        return {None: waste.total, **{each[:2]: each[2] for each in waste.endpoints}}

    assert list(found.storms) == list(expected.storms)
    assert shown(found).keys() == shown(expected).keys()
    for name, sums in shown(found).items():
        for field, value in vars_of(sums).items():
            other = vars_of(shown(expected)[name])[field]
            exact = not field.endswith("_likely_usd")
            assert value == (other if exact else pytest.approx(other, abs=Decimal("1e-9"))), (name, field)


def vars_of(figures: Any) -> dict[str, Any]:
    return {name: getattr(figures, name) for name in figures.__dataclass_fields__}


@pytest.mark.parametrize("kind", ENGINES)
def test_figures_of_centuries(kind: str) -> None:
    last = (9999, 12) if kind == "postgresql" else (2299, 12)  # ClickHouse has no later times

    def at(moment: datetime) -> bytes:
        text = f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"
        return (
            b'{"protocolVersion":"1.0","environment":"e","sdkLanguage":"x","sdkVersion":"1","windowStart":"%s",'
            b'"windowEnd":"9999-12-31T00:00:00.000Z","metrics":[{"provider":"p","endpoint":"e","method":"GET",'
            b'"requestCount":999999999999999,"errorCount":0,"totalLatencyMs":1,"p50LatencyMs":1,"p95LatencyMs":1,'
            b'"totalRequestBytes":999999999999999,"totalResponseBytes":1,"estimatedCostCents":999999999999}]}'
            % text.encode()
        )

    moments = [datetime(year, month, 1, tzinfo=timezone.utc) for year, month in ((1970, 1), (2026, 7), last)]
    content = [at(each) for each in moments] * 4
    zone = ZoneInfo("Europe/Berlin")

    def use(found: Readings) -> list[Report]:
        return [
            ask(found, Question(by=(by,), zone=zone)) for by in ("minute", "day", "week", "month", "provider")
        ]

    ours, theirs = compared(kind, content, [], use)
    for found, expected in zip(ours, theirs):
        reports_alike(found, expected)
    many, usd = 12 * 999_999_999_999_999, 12 * Decimal("9999999999.99")
    assert alike(ours[-1].total.now, Figures(
        calls=many, cost_usd=usd, unstated_usd=usd, uncounted=many, bytes_up=many, bytes_down=12,
        mean_ms=4 / many * 3, p50_ms=1.0, p95_ms=1.0,
    ))  # fmt: skip
