"""What the page looks like: colours, labels, columns, empty tables, paper."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable

import pytest

pytest.importorskip("duckdb")
pytest.importorskip("playwright")
from playwright.sync_api import Browser, Page, expect

from recost import wire
from recost.events import MetricEntry, TagEntry, WindowSummary
from tests.analytics.corpora import START
from tests.cli.dashboard.serving import dashboard
from tests.cli.dashboard.shop import shop
from tests.cli.dashboard.test_browser import DESK, PHONE, loaded, watched

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")]
HOUR_MS = 3_600_000
DRAWN = """
window.drawn = [];
const fillText = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (text, x, ...more) {
  const card = this.canvas.closest(".plot");
  const half = this.measureText(text).width / 2;
  const place = { text, left: x - half, over: x + half - this.canvas.width };
  if (card && this.textAlign === "center") drawn.push({ chart: card.id, ...place });
  return fillText.call(this, text, x, ...more);
};
"""
WITHIN = """
(place) => {
  const scroll = document.querySelector(place);
  const share = [...scroll.querySelectorAll("thead th")].pop().getBoundingClientRect();
  const edge = scroll.getBoundingClientRect().right + 0.5;
  const fits = scroll.scrollWidth <= scroll.clientWidth && share.right <= edge;
  return fits && share.width > 0 && scroll.querySelector("thead th:last-child").textContent === "share";
}
"""
PIXELS = """
([place, name]) => {
  const probe = document.createElement("span");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const wanted = getComputedStyle(probe).color.match(/\\d+/g).map(Number);
  probe.remove();
  const canvas = document.querySelector(`${place} canvas`);
  const same = new OffscreenCanvas(canvas.width, canvas.height);
  const copy = same.getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
  let found = 0;
  for (let at = 0; at < data.length; at += 4) {
    if (data[at + 3] === 255 && wanted.every((value, index) => data[at + index] === value)) found += 1;
  }
  return found;
}
"""


def window(began_ms: float, *metrics: MetricEntry) -> bytes:
    return (
        wire.encode_window(WindowSummary("", "test", "python", "0", began_ms, began_ms + 1, metrics)) + b"\n"
    )


def metric(provider: str, cents: float, calls: int = 3, tags: Sequence[TagEntry] = ()) -> MetricEntry:
    return MetricEntry(
        provider, "chat", "POST", calls, calls // 3, 90.0 * calls, 80.0, 95.0, 9, 9, cents, tags=tuple(tags)
    )


def at(hour: float) -> float:
    return START.timestamp() * 1000 + hour * HOUR_MS


@contextmanager
def opened(browser: Browser, folder: Path, **how: Any) -> Iterator[Page]:
    """Yield the page of a folder; it says nothing on the console."""
    how = {"viewport": DESK, **how}
    with dashboard(folder, "--tz", "UTC") as served, browser.new_context(**how) as context:
        page = context.new_page()
        page.add_init_script(DRAWN)
        said = watched(page, served.origin)
        page.goto(served.url)
        loaded(page)
        yield page
        assert said == []


def go(page: Page, search: str) -> None:
    page.goto(page.url.partition("?")[0] + search)
    loaded(page)


def colours(page: Page) -> dict[str, str]:
    """Return the class of each name's colour."""
    entries = page.locator("#spend-legend .entry").all()
    return {
        each.locator(".name").inner_text(): each.locator(".mark").get_attribute("class") or ""
        for each in entries
    }


def test_a_name_has_one_colour_whatever_its_rank(browser: Browser, tmp_path: Path) -> None:
    first = window(at(0), *(metric(name, cents) for name, cents in (("a", 1.0), ("b", 2.0), ("c", 3.0))))
    then = window(at(30), *(metric(name, cents) for name, cents in (("a", 9.0), ("b", 4.0), ("d", 5.0))))
    (tmp_path / "shop.jsonl").write_bytes(first + then)
    with opened(browser, tmp_path) as page:
        known = colours(page)
        assert list(known) == ["a", "b", "d", "c"]
        assert len(set(known.values())) == 4
        for search, shown in (
            ("?until=2026-03-28", ["c", "b", "a"]),
            ("?since=2026-03-28", ["a", "d", "b"]),
            ("?provider=b", ["b"]),
            ("?provider=a&provider=d&since=2026-03-28", ["a", "d"]),
        ):
            go(page, search)
            assert colours(page) == {name: known[name] for name in shown}
            assert list(colours(page)) == shown


def test_the_last_step_has_its_label(browser: Browser, tmp_path: Path) -> None:
    lines = [window(at(hour), metric("a", 1.0)) for hour in (0, 1, 4, 24, 48, 89)]
    (tmp_path / "shop.jsonl").write_bytes(b"".join(lines))
    with opened(browser, tmp_path) as page:
        for size in (DESK, PHONE):
            page.set_viewport_size(size)  # type: ignore[arg-type]
            for hours, expected in (
                (2, "01:59"),
                (5, "04:00"),
                (25, "Mar 28"),
                (49, "Mar 29"),
                (90, "17:00"),
            ):
                until = datetime.fromtimestamp(at(hours) / 1000, timezone.utc)
                go(page, f"?since=2026-03-27&until={until:%Y-%m-%dT%H:%M}")
                page.wait_for_selector("#errors-chart canvas")
                for chart in ("spend-chart", "latency-chart", "errors-chart"):
                    labels = page.evaluate("(chart) => drawn.filter((each) => each.chart === chart)", chart)
                    assert labels[-1]["text"] == expected
                    assert max(each["over"] for each in labels) <= 0
                    places = sorted(round(each["left"]) for each in labels)
                    assert len(set(places)) == len(places), "each is drawn once"


@pytest.mark.parametrize("times", [1, 1000])
def test_the_share_is_in_sight(browser: Browser, tmp_path: Path, times: int) -> None:
    names = ("openai", "anthropic-international-holdings", "stripe", "deepl")
    metrics = [
        MetricEntry(
            name, "chat", "POST", 1_500_000 * times, 40_000 * times, 9e8, 1234.0, 6789.0, 9, 9,
            2_000_000.0 * times, unpriced_count=30_000 * times,
        )
        for name in names
    ]  # fmt: skip
    (tmp_path / "shop.jsonl").write_bytes(window(at(0), *metrics))
    with opened(browser, tmp_path) as page:
        for width in (1280, 1366, 1440, 1600, 1920):
            page.set_viewport_size({"width": width, "height": 900})
            for kind in ("provider", "endpoint"):
                scroll = page.locator(f"#table-{kind} .scroll")
                page.wait_for_function(WITHIN, arg=f"#table-{kind} .scroll")
                assert scroll.get_by_role("columnheader", name="cost").is_visible()


def test_columns_come_back_where_there_is_room(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "shop.jsonl").write_bytes(shop())
    with opened(browser, tmp_path, viewport={"width": 900, "height": 900}) as page:
        latency = page.locator("#table-provider").get_by_role("columnheader", name="p95")
        expect(latency).to_be_hidden()
        page.set_viewport_size({"width": 1920, "height": 900})
        expect(latency).to_be_visible()
        page.set_viewport_size({"width": 900, "height": 900})
        expect(latency).to_be_hidden()


def test_latencies_far_apart_are_drawn(browser: Browser, tmp_path: Path) -> None:
    lines = [window(at(hour), metric("a", 1.0)) for hour in (0, 20, 45, 90)]
    (tmp_path / "shop.jsonl").write_bytes(b"".join(lines))
    with opened(browser, tmp_path) as page:
        page.wait_for_selector("#latency-chart canvas")
        for name in ("s0", "s1"):
            assert page.evaluate(PIXELS, ["#latency-chart", name]) >= 4 * 9, "four points of six pixels"


@pytest.mark.usefixtures("one_day")
def test_whole_days(browser: Browser, tmp_path: Path) -> None:
    now = time.time() * 1000
    lines = [window(now - back * 24 * HOUR_MS, metric("a", 100.0)) for back in range(9, -1, -1)]
    (tmp_path / "shop.jsonl").write_bytes(b"".join(lines))
    with opened(browser, tmp_path) as page:
        for days in (7, 30):
            page.get_by_role("button", name=f"Last {days} days").click()
            expect(page.get_by_role("button", name=f"Last {days} days")).to_have_attribute(
                "aria-pressed", "true"
            )
            loaded(page)
            expect(page.get_by_role("img", name=f"Spend per day, {days} days, ")).to_have_count(1)
            expect(page.locator("#chips")).to_be_hidden()


def test_whole_hours(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "shop.jsonl").write_bytes(window(time.time() * 1000, metric("a", 100.0)))
    with opened(browser, tmp_path) as page:
        page.get_by_role("button", name="Last 24 hours").click()
        loaded(page)
        expect(page.get_by_role("img", name="Spend per hour, 24 hours, ")).to_have_count(1)
        expect(page.locator("#chips")).to_be_hidden()


def test_tags_open_on_the_dearest(browser: Browser, tmp_path: Path) -> None:
    def tagged(cents: float, **tags: str) -> TagEntry:
        return TagEntry(tuple(sorted(tags.items())), 1, 0, cents, 0)

    dear = [tagged(5.0, tenant="acme"), tagged(1.0, feature="search"), tagged(8.0, route="/r")]
    cheap = [tagged(2.0, feature="search")]
    lines = [
        window(at(0), metric("a", 20.0, tags=dear)),
        window(at(1), metric("b", 20.0, tags=cheap)),
        window(at(2), metric("c", 20.0)),
    ]
    (tmp_path / "shop.jsonl").write_bytes(b"".join(lines))
    with opened(browser, tmp_path) as page:
        tags, routes = page.locator("#table-tag"), page.locator("#table-route")
        expect(tags.locator("thead")).to_contain_text("tenant")
        expect(tags).to_contain_text("acme")
        go(page, "?provider=b")
        expect(tags.locator("thead")).to_contain_text("feature")
        expect(routes).to_contain_text("None of these calls has a route.")
        go(page, "?provider=b&tagname=tenant")
        expect(tags).to_contain_text("None of these calls has the tag tenant.")
        go(page, "?provider=c")
        expect(tags).to_contain_text("None of these calls has the tag feature.")
        tags.get_by_role("combobox").select_option("tenant")
        expect(tags).to_contain_text("None of these calls has the tag tenant.")
        expect(page.locator("main")).not_to_contain_text("No tags yet")


@pytest.mark.parametrize("tags", [(), (TagEntry((("route", "/r"),), 1, 0, 1.0, 0),)], ids=["none", "routes"])
def test_there_are_no_tags_only_where_none_was_recorded(
    browser: Browser, tmp_path: Path, tags: Sequence[TagEntry]
) -> None:
    (tmp_path / "shop.jsonl").write_bytes(window(at(0), metric("a", 1.0, tags=tags)))
    with opened(browser, tmp_path) as page:
        expect(page.locator("#table-tag")).to_contain_text("No tags yet")
        expect(page.locator("#table-route")).to_contain_text("/r" if tags else "No routes yet")


def test_a_server_that_has_gone_is_named(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "shop.jsonl").write_bytes(shop())
    with dashboard(tmp_path, "--tz", "UTC") as served, browser.new_context() as context:
        page = context.new_page()
        page.goto(served.url)
        expect(page.locator("#live")).to_have_attribute("data-state", "live")
        expect(page.locator("#gone")).to_be_hidden()
        served.stop()
        expect(page.locator("#gone")).to_contain_text("The dashboard does not answer.")
        expect(page.locator("#gone")).to_contain_text("These figures are from ")
        expect(page.locator("#live")).to_have_text("Not connected")
        expect(page.locator("#spend")).to_have_text("$1.84")
        page.get_by_role("button", name="By model").click()
        expect(page.locator("#problem")).to_contain_text("The dashboard does not answer")
        expect(page.locator("#gone")).to_be_hidden()


def test_the_dates_close(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "shop.jsonl").write_bytes(shop())
    with opened(browser, tmp_path) as page:
        dates, field = page.get_by_text("Dates", exact=True), page.get_by_label("From")
        ways: list[Callable[[], object]] = [
            lambda: page.locator("#spend").click(),
            lambda: page.get_by_role("button", name="Last hour").click(),
            lambda: page.locator("#project").focus(),
            dates.click,
            lambda: page.keyboard.press("Escape"),
        ]
        for leave in ways:
            dates.click()
            expect(field).to_be_visible()
            field.click()
            expect(field).to_be_visible()
            leave()
            expect(field).to_be_hidden()
            loaded(page)


def test_on_paper(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "shop.jsonl").write_bytes(shop())
    with opened(browser, tmp_path, color_scheme="dark") as page:
        page.wait_for_selector("#errors-chart canvas")
        light, dark = (59, 97, 224), (125, 155, 255)
        assert background(page, "s0") == dark
        page.evaluate("addEventListener('beforeprint', () => document.body.dataset.printing = 'yes')")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        page.emulate_media(media="print", color_scheme="dark")
        page.set_viewport_size({"width": 700, "height": 1000})
        assert background(page, "s0") == light
        assert page.evaluate(PIXELS, ["#spend-chart", "s0"]) > 0
        for hidden in (".controls", "#theme", "#live", "#splits", ".more", "details.data summary"):
            assert not page.locator(hidden).first.is_visible(), hidden
        assert page.locator("#spend-chart canvas").is_visible()
        page.evaluate("dispatchEvent(new Event('afterprint')); dispatchEvent(new Event('beforeprint'))")
        page.wait_for_function("document.querySelector('#spend-chart canvas')?.clientHeight > 100")
        assert page.evaluate(PIXELS, ["#spend-chart", "s0"]) > 0, "drawn while it is on paper"
        assert page.evaluate("document.documentElement.scrollWidth") <= 700
        share = page.locator("#table-provider").get_by_role("columnheader", name="share")
        assert share.is_visible()
        page.emulate_media(media="screen", color_scheme="dark")
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert background(page, "s0") == dark
        assert page.evaluate("document.documentElement.dataset.theme") is None
        assert len(page.pdf(format="A4")) > 10_000
        assert page.evaluate("document.body.dataset.printing") == "yes"


def background(page: Page, mark: str) -> tuple[int, ...]:
    """Return the colour of a mark."""
    found: str = page.evaluate(
        "(mark) => getComputedStyle(document.querySelector(`#spend-legend .${mark}`)).backgroundColor", mark
    )
    return tuple(int(each) for each in found[4:-1].split(","))
