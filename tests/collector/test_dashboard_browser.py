"""The dashboard of a collector as somebody sees it in a browser: the form, the figures, and the way out."""

from __future__ import annotations

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

from tests.cli.dashboard.conftest import browser
from tests.cli.dashboard.shop import shop
from tests.collector.serving import Collector, collector, make_key, window

__all__ = ["browser"]

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")]
expect.set_options(timeout=20_000)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Collector, str]]:
    key = make_key(tmp_path)
    make_key(tmp_path, "blog")
    (tmp_path / "shop.jsonl").write_bytes(shop())
    with collector(tmp_path) as running:
        yield running, key


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        yield context.new_page()


def sign_in(page: Page, running: Collector, key: str) -> None:
    page.goto(running.url)
    page.get_by_label("Key of a project").fill(key)
    page.keyboard.press("Enter")


def test_a_key_shows_the_figures_and_signing_out_hides_them(
    page: Page, served: tuple[Collector, str]
) -> None:
    running, key = served
    said: list[str] = []
    page.on("console", lambda each: said.append(each.text) if each.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on(
        "request", lambda each: None if each.url.startswith((running.url, "data:")) else said.append(each.url)
    )
    sign_in(page, running, key)
    expect(page.locator("#calls")).to_have_text("960")
    expect(page.locator("#live-text")).to_contain_text("Live")
    assert page.evaluate("document.cookie") == ""
    assert page.evaluate("[...document.querySelectorAll('#project option')].map(each => each.text)") == [
        "All projects",
        "shop",
    ]
    assert key not in page.url
    running.post(key, window())
    expect(page.locator("#calls")).to_have_text("963")
    inside = page.url
    page.reload()
    expect(page.locator("#calls")).to_have_text("963")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Key of a project")).to_be_visible()
    page.goto(inside)
    expect(page.get_by_label("Key of a project")).to_be_visible()
    assert said == []


def test_a_wrong_key_is_said_to_be_wrong(page: Page, served: tuple[Collector, str]) -> None:
    running, _ = served
    sign_in(page, running, "rc-" + "0" * 64)
    expect(page.get_by_role("alert")).to_contain_text("not the key of a project")
    assert re.fullmatch(rf"{running.url}/login", page.url)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_form_can_be_used_by_all(browser: Browser, served: tuple[Collector, str], scheme: Any) -> None:
    running, _ = served
    with browser.new_context(viewport={"width": 360, "height": 740}, color_scheme=scheme) as context:
        page = context.new_page()
        sign_in(page, running, "rc-wrong")
        expect(page.get_by_role("alert")).to_be_visible()
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
