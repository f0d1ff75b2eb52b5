"""``recost doctor`` with a receiver of metrics as destination."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from recost.cli import main
from tests.otlp_receiver import Receiver


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Receiver]:
    monkeypatch.setenv("RECOST_LOCAL_DIR", str(tmp_path))
    monkeypatch.setenv("RECOST_TRANSPORTS", "otlp")
    with Receiver() as found:
        address = found.url.replace("http://", "http://user:secret@") + "/v1/metrics"
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", address)
        yield found


def examine(capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main(["doctor"])
    output = capsys.readouterr()
    assert output.err == ""
    return code, " ".join(output.out.split())


def test_a_receiver_that_accepts(receiver: Receiver, capsys: pytest.CaptureFixture[str]) -> None:
    code, shown = examine(capsys)
    assert code == 0, shown
    assert f"receiver {receiver.url} (from OTEL_EXPORTER_OTLP_METRICS_ENDPOINT)" in shown
    assert "an empty one was accepted" in shown
    assert "secret" not in shown
    assert len(receiver.requests) == 1
    assert not receiver.sums


@pytest.mark.parametrize(
    ("step", "words"), [(401, "OTEL_EXPORTER_OTLP_HEADERS"), ("reset", "could not be reached")]
)
def test_a_receiver_that_refuses(
    receiver: Receiver, capsys: pytest.CaptureFixture[str], step: str, words: str
) -> None:
    receiver.script(step)
    code, shown = examine(capsys)
    assert code == 1
    assert words in shown
    assert "secret" not in shown


def test_an_address_that_is_not_a_url(
    receiver: Receiver, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://[\x1b[2J:x/")
    code, shown = examine(capsys)
    assert code == 1
    assert "an invalid URL" in shown
    assert shown.isprintable()
