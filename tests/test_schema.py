from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings

from recost import wire
from recost.cli import main
from recost.events import WindowSummary
from recost.schema import VERSIONS, load_schema
from tests.analytics.corpora import windows
from tests.schemas import check_frame


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(windows())
def test_every_frame_is_as_the_schema_says(window: WindowSummary) -> None:
    frame = json.loads(wire.encode_window(window))
    check_frame(frame)
    for other in {*VERSIONS} - {frame["protocolVersion"]}:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(frame, load_schema(other))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("windowEnd",), "2026-05-14T12:00:30Z"),
        (("metrics",), []),
        (("environment",), " "),
        (("metrics", 0, "requestCount"), -1),
        (("metrics", 0, "requestCount"), 1.5),
        (("metrics", 0, "provider"), ""),
        (("metrics", 0, "estimatedCostCents"), "1"),
        (("metrics", 0, "tags"), [{"requestCount": 1}]),
        (("windowId",), "1"),
        (("instance",), {"host": "9f86d081884c7d65"}),
        (("instance", "start"), "2026-05-14"),
    ],
)
def test_what_is_wrong_is_refused(place: tuple[str, ...], value: object) -> None:
    metric = {
        "provider": "p", "endpoint": "e", "method": "GET", "requestCount": 1, "errorCount": 0,
        "totalLatencyMs": 1, "p50LatencyMs": 1, "p95LatencyMs": 1, "totalRequestBytes": 0,
        "totalResponseBytes": 0, "estimatedCostCents": 0.5, "attempts": 1,
    }  # fmt: skip
    frame: dict[str, Any] = {
        "protocolVersion": "1.2", "environment": "e", "sdkLanguage": "python", "sdkVersion": "1",
        "windowStart": "2026-05-14T12:00:00.000Z", "windowEnd": "2026-05-14T12:00:30.000Z",
        "windowId": "9f6c1d2e-8a3b-4c5d-8e6f-0a1b2c3d4e5f",
        "instance": {"host": "9f86d081884c7d65", "pid": 7, "start": "2026-05-14T12:00:00.000Z"},
        "metrics": [metric],
    }  # fmt: skip
    check_frame({**frame, "unknown": {}})
    target: Any = frame
    for step in place[:-1]:
        target = target[step]
    target[place[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        check_frame(frame)


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    for version in VERSIONS:
        assert main(["schema", version]) == 0
        assert json.loads(capsys.readouterr().out) == load_schema(version)
    assert main(["schema", "3"]) == 2
    with pytest.raises(ValueError, match=r"expected one of 1\.0, 1\.1, 1\.2"):
        load_schema("2.0")
