"""Following files that others replace at any moment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from recost.analytics.follow import Follower
from recost.analytics.ingest.sources import Source

pytestmark = pytest.mark.skipif(os.name != "posix", reason="elsewhere an open file can't be replaced")


def test_a_file_that_is_replaced_while_it_is_read_is_read_on(tmp_path: Path) -> None:
    shop = tmp_path / "shop.jsonl"
    shop.write_bytes(b"1\n2\n3\n")
    follower = Follower(lambda: [Source(shop, "shop")])
    assert follower.start(3) == [("shop", b"1\n"), ("shop", b"2\n"), ("shop", b"3\n")]
    with shop.open("ab") as file:
        file.write(b"4\n")
    news = follower.news()
    assert next(news) == ("shop", b"4\n")
    kept = tmp_path / "kept"
    kept.write_bytes(b"3\n4\n5\n")
    kept.replace(shop)
    assert list(news) == []
    assert list(follower.news()) == [("shop", b"5\n")], "what stood there before it is not shown again"
    follower.close()


def test_a_file_that_is_gone_is_let_go(tmp_path: Path) -> None:
    shop = tmp_path / "shop.jsonl"
    shop.write_bytes(b"1\n")
    follower = Follower(lambda: [Source(shop, "shop")])
    follower.start(1)
    (held,) = follower._open.values()
    shop.unlink()
    for _ in range(2):
        assert list(follower.news()) == []
    assert held.file.closed
    assert not follower._open
    follower.close()
