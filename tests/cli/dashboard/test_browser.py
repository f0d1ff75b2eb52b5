"""The page as somebody sees it in a browser: it loads, follows, drills down, and can be used by all."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("duckdb")
pytest.importorskip("playwright")
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from recost.cli._shared.footnotes import FLAT
from tests.cli.dashboard.serving import Dashboard, append, dashboard, report
from tests.cli.dashboard.shop import hour, shop
from tests.hostile_names import HOSTILE, hostile_windows

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")]
expect.set_options(timeout=20_000)
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A telemetry folder with the shop's file."""
    (tmp_path / "shop.jsonl").write_bytes(shop())
    return tmp_path


@pytest.fixture
def served(folder: Path) -> Iterator[Dashboard]:
    with dashboard(folder, "--tz", "UTC") as found:
        yield found


@pytest.fixture
def page(browser: Browser, served: Dashboard) -> Iterator[Page]:
    """The page, loaded; it says nothing on the console and asks nobody but the server."""
    with browser.new_context(viewport=DESK) as context:  # type: ignore[arg-type]
        opened = context.new_page()
        said = watched(opened, served.origin)
        opened.goto(served.url)
        loaded(opened)
        yield opened
        assert said == []


def watched(page: Page, origin: str) -> list[str]:
    """Return a list that gets whatever should not happen."""
    said: list[str] = []
    page.on(
        "console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None
    )
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(origin) else said.append(request.url))
    page.on("response", lambda each: said.append(f"{each.status} {each.url}") if each.status >= 400 else None)
    return said


def loaded(page: Page) -> None:
    page.wait_for_selector("#main[aria-busy=false]")


def spend(page: Page) -> str:
    return page.locator("#spend").inner_text()


def query(page: Page) -> str:
    return page.url.partition("?")[2]


def rows(page: Page, kind: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in row.all_inner_texts()]
        for row in [each.locator("th, td") for each in page.locator(f"#table-{kind} tbody tr").all()]
    ]


def test_it_shows_what_the_report_says(page: Page, folder: Path) -> None:
    known = report(folder)
    assert spend(page) == "$1.84"
    assert page.locator("#spend").get_attribute("title") == f"${known['total']['cost_usd']}"
    assert page.locator("#calls").inner_text() == f"{int(known['total']['calls']):,}" == "960"
    assert page.locator("#errors").inner_text() == known["total"]["errors"] == "48"
    assert page.locator("#unpriced").inner_text() == known["total"]["unpriced"] == "144"
    assert "not included in the cost" in page.locator("#unpriced-note").inner_text()
    sources = page.locator("#sources").inner_text().split("\n")
    assert [text for text in sources if text] == [
        "reported by the API", "$0.0600", "computed from usage", "$1.20", "estimated", "$0.5766",
        f"$0.5766 are {FLAT}",
    ]  # fmt: skip
    names = [row[0] for row in rows(page, "provider")]
    assert (
        names == [group["provider"] for group in known["groups"]] == ["openai", "stripe", "deepl", "unknown"]
    )
    assert [row[0] for row in rows(page, "model")] == ["gpt-4o", "(no model)", "gpt-4o-mini"]
    assert [row[0] for row in rows(page, "tag")] == ["(no tenant)", "acme", "globex"]
    assert "/checkout" in [row[0] for row in rows(page, "route")]
    assert page.locator("#spend-chart canvas, #latency-chart canvas, #errors-chart canvas").count() == 3
    assert "token" not in page.url
    expect(page.locator("#live")).to_have_attribute("data-state", "live")


def test_budgets_are_shown_where_there_are_some(page: Page, folder: Path) -> None:
    expect(page.locator("#budgets")).to_be_hidden()
    entry = {"per": "total", "period": "", "timezone": "UTC"}
    kept = {
        "llm": {**entry, "spent_usd": "1.80", "limit_usd": "2", "on_exceed": "raise"},
        "<img src=x onerror=alert(1)>": {
            **entry,
            "spent_usd": "0.05",
            "limit_usd": "1",
            "on_exceed": "callback",
        },
        "old": {**entry, "spent_usd": "0.05"},
    }
    (folder / "shop.budgets.json").write_text(json.dumps({"format": "recost budgets 1", "budgets": kept}))
    (folder / "torn.budgets.json").write_text("{")
    page.reload()
    loaded(page)
    shown = [
        each.all_inner_texts()
        for each in (row.locator("th, td") for row in page.locator("#budgets tbody tr").all())
    ]
    assert shown == [
        ["llm", "$1.80", "$2.00", "$0.2000", "90%", "never", "calls refused"],
        ["<img src=x onerror=alert(1)>", "$0.0500", "$1.00", "$0.9500", "5%", "never", "callback"],
        ["old", "$0.0500", "-", "-", "-", "never", "-"],
    ]
    expect(page.locator("#budgets .note.warn")).to_contain_text("torn.budgets.json")
    assert page.locator("#budgets td.warn").all_inner_texts() == ["$0.2000"]
    assert Axe().run(page).response["violations"] == []


def test_a_window_that_comes_moves_the_totals(page: Page, folder: Path) -> None:
    append(folder / "shop.jsonl", hour(48))
    expect(page.locator("#calls")).to_have_text("980")
    expect(page.locator("#spend")).to_have_text("$1.87")
    with (folder / "shop.jsonl").open("ab") as out:
        out.write(hour(49)[:100])
        out.flush()
        expect(page.locator("#about")).to_contain_text("1 line that could not be read")
        out.write(hour(49)[100:])
    expect(page.locator("#calls")).to_have_text("1,000")
    expect(page.locator("#about")).not_to_contain_text("could not be read")


def test_live_updates_keep_the_focus_and_speak_rarely(page: Page, folder: Path) -> None:
    before = page.locator("#announce").inner_text()
    assert before == "$1.84 spent, 960 calls"
    page.get_by_role("button", name="stripe", exact=True).first.focus()
    page.evaluate("document.activeElement.dataset.key")
    for number in (48, 49):
        append(folder / "shop.jsonl", hour(number))
        expect(page.locator("#calls")).to_have_text(f"{980 + 20 * (number - 48):,}")
    assert page.evaluate("document.activeElement.textContent") == "stripe"
    assert page.locator("#announce").inner_text() == before


def test_drilling_down_and_back(page: Page) -> None:
    page.locator("#table-provider").get_by_role("button", name="stripe").click()
    expect(page.locator("#spend")).to_have_text("$0.5766")
    assert query(page) == "provider=stripe"
    page.locator("#table-endpoint").get_by_role("button", name="charges").click()
    expect(page.locator("#spend")).to_have_text("$0.5760")
    assert query(page) == "provider=stripe&endpoint=charges"
    chips = page.locator("#chips .chip")
    assert [chip.inner_text().split("\n")[0] for chip in chips.all()] == [
        "Provider stripe",
        "Endpoint charges",
    ]
    page.go_back()
    expect(page.locator("#spend")).to_have_text("$0.5766")
    page.go_back()
    expect(page.locator("#spend")).to_have_text("$1.84")
    expect(page.locator("#chips")).to_be_hidden()
    page.go_forward()
    expect(page.locator("#spend")).to_have_text("$0.5766")
    page.reload()
    expect(page.locator("#spend")).to_have_text("$0.5766")
    page.get_by_role("button", name="Provider stripe: remove this filter").click()
    expect(page.locator("#spend")).to_have_text("$1.84")
    assert query(page) == ""


def test_models_tags_and_routes_drill_down_too(page: Page) -> None:
    page.locator("#table-model").get_by_role("button", name="gpt-4o", exact=True).click()
    expect(page.locator("#spend")).to_have_text("$0.9600")
    expect(page.locator("#errors")).to_have_text("-")
    expect(page.locator("#table-tag")).to_contain_text("Models and tags cannot be combined")
    expect(page.locator("#latency-chart")).to_contain_text("does not tell latencies")
    page.get_by_role("button", name="Model gpt-4o: remove this filter").click()
    page.locator("#table-tag").get_by_role("button", name="acme").click()
    expect(page.locator("#spend")).to_have_text("$0.6000")
    assert query(page) == "tag=tenant%3Dacme"
    page.locator("#table-route").get_by_role("button", name="/checkout").click()
    expect(page.locator("#chips .chip")).to_have_count(2)
    page.get_by_role("button", name="Clear all").click()
    expect(page.locator("#spend")).to_have_text("$1.84")


def test_what_it_is_stacked_by(page: Page) -> None:
    expect(page.locator("#spend-legend")).to_contain_text("openai $1.20", use_inner_text=True)
    page.get_by_role("button", name="By model").click()
    expect(page.locator("#spend-legend")).to_contain_text("gpt-4o-mini")
    assert query(page) == "by=model"
    page.locator("#spend-legend").get_by_role("button", name="gpt-4o-mini").click()
    expect(page.locator("#spend")).to_have_text("$0.2400")


def test_periods_and_dates(page: Page, browser: Browser, served: Dashboard) -> None:
    page.get_by_role("button", name="Last 7 days").click()
    expect(page.locator("#empty")).to_contain_text("No calls match")
    page.get_by_role("button", name="Show all calls").click()
    expect(page.locator("#spend")).to_have_text("$1.84")
    page.get_by_text("Dates", exact=True).click()
    page.get_by_label("From").fill("2026-03-28")
    page.get_by_label("Until, not included").fill("2026-03-29")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("#calls")).to_have_text("480")
    assert query(page) == "since=2026-03-28&until=2026-03-29"
    expect(page.locator("#spend-note")).to_have_text("same as the period before ($0.9183)")
    expect(page.locator("#chips")).to_contain_text("2026-03-28 to 2026-03-29")
    bookmark = page.url
    page.goto("about:blank")
    page.goto(bookmark)
    expect(page.locator("#calls")).to_have_text("480")


def test_dates_that_are_entered_at_once_stay(page: Page) -> None:
    expect(page.locator("#calls")).to_have_text("960")
    typed = page.evaluate(
        """async () => {
            document.querySelector("#dates summary").click();
            const field = document.getElementById("dates-form").elements.since;
            field.value = "2026-03-28";
            await new Promise((done) => setTimeout(done, 100));
            return field.value;
        }"""
    )
    assert typed == "2026-03-28"


def test_projects_environments_and_the_choice_of_a_tag(page: Page, folder: Path) -> None:
    (folder / "other.jsonl").write_bytes(hour(1, "staging"))
    expect(page.locator("#calls")).to_have_text("980")
    page.locator("#project").select_option("other")
    expect(page.locator("#calls")).to_have_text("20")
    page.locator("#project").select_option("")
    page.locator("#env").select_option("production")
    expect(page.locator("#calls")).to_have_text("960")
    page.locator("[data-key=tagname]").select_option("route")
    expect(page.locator("#table-tag thead")).to_contain_text("route")
    assert query(page) == "env=production&tagname=route"


def test_charts_have_a_text_and_a_table(page: Page) -> None:
    label = page.get_by_role("img", name=re.compile("Spend per hour, 48 hours, .1.84 in all"))
    expect(label).to_have_count(1)
    page.get_by_text("Spend as a table").click()
    table = page.locator("#spend-data table")
    assert table.locator("tbody tr").count() == 48
    assert table.locator("tbody tr").first.inner_text().split() == [
        "2026-03-27", "00:00", "$0.0250", "$0.0120", "$0.00125",
    ]  # fmt: skip
    page.hover("#spend-chart .u-over", position={"x": 200, "y": 80})
    expect(page.locator("#spend-chart .tip")).to_contain_text("openai")


def background(page: Page) -> str:
    colour: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return colour


def test_dark_and_light(page: Page) -> None:
    assert background(page) == "rgb(245, 246, 248)"
    page.emulate_media(color_scheme="dark")
    assert background(page) == "rgb(15, 18, 24)"
    page.get_by_role("button", name="Use light colours").click()
    assert background(page) == "rgb(245, 246, 248)"
    page.reload()
    loaded(page)
    assert background(page) == "rgb(245, 246, 248)"
    page.get_by_role("button", name="Use dark colours").click()
    assert background(page) == "rgb(15, 18, 24)"


@pytest.mark.parametrize(
    "search", ["", "?provider=unknown&since=2026-03-01&env=production", "?provider=none"]
)
def test_a_phone_needs_no_sideways_scrolling(page: Page, search: str) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto(page.url.partition("?")[0] + search)
    loaded(page)
    page.get_by_text("Dates", exact=True).click()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    wide = "(all) => all.filter((each) => each.scrollWidth > each.clientWidth).length"
    assert page.locator(".list .scroll").evaluate_all(wide) == 0


def test_all_of_it_works_from_the_keyboard(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the figures"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    order = []
    for _ in range(40):
        page.keyboard.press("Tab")
        order.append(page.evaluate("document.activeElement.dataset.key ?? document.activeElement.tagName"))
        if order[-1].startswith("provider-"):
            break
    assert "by-model" in order
    assert order[-1] == "provider-provider,openai"
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    expect(page.locator("#chips .chip")).to_have_count(1)
    assert page.evaluate("document.activeElement.dataset.key") == "provider-provider,openai"
    page.locator("#chips .chip").focus()
    page.keyboard.press("Space")
    expect(page.locator("#chips")).to_be_hidden()
    assert page.evaluate("document.activeElement.id") == "main"
    page.locator("#dates summary").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("From")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_label("From")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing(browser: Browser, served: Dashboard, scheme: Any, size: Any) -> None:
    with browser.new_context(viewport=size, color_scheme=scheme) as context:
        opened = context.new_page()
        opened.goto(served.url)
        loaded(opened)
        place = opened.url
        for search in ("", "?model=gpt-4o&env=production", "?provider=none", "?since=never"):
            opened.goto(place + search)
            loaded(opened)
            tables = opened.locator("details.data:visible > summary")
            tables.evaluate_all("(all) => all.forEach((each) => each.click())")
            violations = Axe().run(opened).response["violations"]
            assert [
                (search, each["id"], each["impact"], each["nodes"][0]["html"]) for each in violations
            ] == []


def test_names_from_the_files_are_text(page: Page, folder: Path) -> None:
    evil = b"<img src=x onerror=alert(1)>"
    append(folder / "shop.jsonl", hour(3).replace(b'"deepl"', b'"%s"' % evil))
    expect(page.locator("#table-provider")).to_contain_text("<img src=x onerror=alert(1)>")
    page.locator("#table-provider").get_by_role("button", name="<img").click()
    expect(page.locator("#chips")).to_contain_text("<img src=x onerror=alert(1)>")
    assert page.locator("main img").count() == 0


def test_what_is_not_understood_is_told_with_a_way_out(browser: Browser, served: Dashboard) -> None:
    with browser.new_context() as context:
        opened = context.new_page()
        opened.goto(f"{served.url}&since=never&tag=a%3Db")
        expect(opened.locator("#problem")).to_contain_text("Since: invalid time 'never': expected one of 7d")
        expect(opened.locator("#chips .chip")).to_have_count(2)
        opened.get_by_role("button", name="Clear all filters").click()
        expect(opened.locator("#spend")).to_have_text("$1.84")
        expect(opened.locator("#problem")).to_be_hidden()


def test_an_empty_folder_fills_itself(browser: Browser, tmp_path: Path) -> None:
    with dashboard(tmp_path) as served, browser.new_context() as context:
        opened = context.new_page()
        said = watched(opened, served.origin)
        opened.goto(served.url)
        expect(opened.locator("#empty")).to_contain_text("Nothing recorded yet")
        expect(opened.locator("#empty")).to_contain_text("recost.init()")
        assert Axe().run(opened).response["violations"] == []
        append(tmp_path / "shop.jsonl", hour(1))
        expect(opened.locator("#calls")).to_have_text("20")
        expect(opened.locator("#empty")).to_be_hidden()
        assert said == []


def test_it_says_when_the_server_has_gone(browser: Browser, folder: Path) -> None:
    with dashboard(folder) as served, browser.new_context() as context:
        opened = context.new_page()
        opened.goto(served.url)
        expect(opened.locator("#live")).to_have_attribute("data-state", "live")
        served.stop()
        expect(opened.locator("#live")).to_have_attribute("data-state", "waiting")
        expect(opened.locator("#spend")).to_be_visible()
        opened.get_by_role("button", name="By model").click()
        expect(opened.locator("#problem")).to_contain_text("The dashboard does not answer")
        expect(opened.locator("#spend")).to_be_hidden()


def test_hostile_names_are_text(browser: Browser, tmp_path: Path) -> None:
    kinds = ("HTML", "HTML comment", "entity", "escape sequence", "quotes", "SQL")
    chosen = [HOSTILE[kind] for kind in kinds]
    (tmp_path / "shop.jsonl").write_bytes(b"".join(hostile_windows(chosen)))
    with dashboard(tmp_path, "--tz", "UTC") as served, browser.new_context() as context:
        page = context.new_page()
        said = watched(page, served.origin)
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.goto(served.url)
        loaded(page)
        assert page.locator("table img, table a[href^='http'], table script").count() == 0
        shown = page.locator("#table-provider").evaluate("table => table.textContent")
        assert [name for name in chosen if name not in shown] == []
        assert said == []
