"""``recost mcp`` as an assistant uses it: the official client starts it and calls its tools."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("duckdb")
pytest.importorskip("mcp")

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

from tests import recorded
from tests.hostile_names import HOSTILE, hostile_windows, is_inert
from tests.scripts import environment

pytestmark = pytest.mark.slow
OWNED = "/tmp/recost-owned"  # what the hostile SQL would write
TOOLS = {"report", "compare", "top_spenders", "waste", "forecast", "reconcile", "budgets"}


@asynccontextmanager
async def session(folder: Path, *options: str) -> AsyncIterator[ClientSession]:
    parameters = StdioServerParameters(
        command=sys.executable,
        args=["-m", "recost", "mcp", *options],
        env=environment(RECOST_LOCAL_DIR=str(folder)),
        cwd=folder,
    )
    async with stdio_client(parameters) as (read, write), ClientSession(read, write) as opened:
        await opened.initialize()
        yield opened


async def text_of(opened: ClientSession, tool: str, **arguments: Any) -> tuple[bool, str]:
    result = await opened.call_tool(tool, arguments)
    (content,) = result.content
    return bool(result.is_error), content.text  # type: ignore[union-attr]


async def answer(opened: ClientSession, tool: str, **arguments: Any) -> Any:
    failed, text = await text_of(opened, tool, **arguments)
    assert not failed, text
    return json.loads(text, parse_float=Decimal)


@pytest.fixture(autouse=True)
def nothing_written() -> Iterator[None]:
    yield
    assert not os.path.lexists(OWNED)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    recorded.record(tmp_path, "2026-11-01T10:00:00.000Z", 0.1, model="gpt-4o")
    recorded.record(tmp_path, "2026-11-08T10:00:00.000Z", 0.7, model="gpt-4o-mini")
    (tmp_path / "recost").mkdir()  # not what runs
    (tmp_path / "recost" / "__main__.py").write_text("raise SystemExit(70)")
    return tmp_path


async def test_each_tool_says_that_it_only_reads(folder: Path) -> None:
    async with session(folder) as opened:
        tools = (await opened.list_tools()).tools
    assert {tool.name for tool in tools} == TOOLS
    for tool in tools:
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint
        assert tool.description


async def test_tools_say_what_the_commands_say(folder: Path) -> None:
    async with session(folder) as opened:
        report = await answer(opened, "report", by="model", since="2026-11-01", until="2026-12-01")
        assert {each["model"]: each["cost_usd"] for each in report["groups"]} == {
            "gpt-4o": Decimal("0.1"), "gpt-4o-mini": Decimal("0.7"),
        }  # fmt: skip
        filtered = await answer(opened, "report", model=["gpt-4o"], by="day")
        assert filtered["total"]["cost_usd"] == Decimal("0.1")
        top = await answer(opened, "top_spenders", since="2026-11-01", limit=1)
        assert [each["model"] for each in top["groups"]] == ["gpt-4o-mini"]
        change = await answer(opened, "compare", since="2026-11-08", until="2026-11-15")
        assert change["total"]["cost_usd"] == Decimal("0.7")
        assert (await answer(opened, "waste", since="2026-11-01"))["total"] is not None
        assert await answer(opened, "budgets") == []


async def test_a_question_that_is_refused_says_why(folder: Path) -> None:
    async with session(folder) as opened:
        for arguments, reason in (
            ({"by": "colour"}, "invalid"),
            ({"since": "--store=postgresql://h/d"}, "invalid"),
            ({"provider": ["nobody"]}, "nobody"),
            ({"limit": 100_000}, "500"),
            ({"by": "x" * 1_000}, "200"),
        ):
            failed, text = await text_of(opened, "report", **arguments)
            assert failed, arguments
            assert reason in text
            assert len(text) < 3_000
        failed, text = await text_of(opened, "reconcile")
        assert (failed, text) == (
            True,
            "Error executing tool reconcile: recost: no ledger was pulled yet: recost ledger pull",
        )
        assert (await answer(opened, "report"))["total"]["calls"] == 20  # it goes on


async def test_hostile_names_are_inert_and_options_are_no_options(tmp_path: Path) -> None:
    (tmp_path / "shop.jsonl").write_bytes(b"".join(hostile_windows()))
    async with session(tmp_path) as opened:
        failed, text = await text_of(opened, "report", by="model", limit=500)
        assert not failed
        assert is_inert(text)
        for name in HOSTILE.values():
            failed, text = await text_of(opened, "report", by=f"tag:{name[:100]}")
            assert is_inert(text)


async def test_only_what_was_named_at_the_start_is_read(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    recorded.record(elsewhere, "2026-11-01T10:00:00.000Z", 5.0)
    async with session(folder, str(elsewhere)) as opened:
        assert (await answer(opened, "report"))["total"]["cost_usd"] == 5
        failed, text = await text_of(opened, "report", project=[os.devnull])
        assert failed
        assert str(tmp_path) not in text.replace(str(elsewhere), "")
