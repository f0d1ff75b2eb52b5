"""What every client's interceptor must do for ``key_labels``: calls have the label of their key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Optional

import pytest

import recost
from recost.testing import CapturedWindows, capture_windows
from tests.conformance.clients import Ask, Driver, every_client
from tests.interceptors.truth import ENDINGS
from tests.labelled import ALICE, BOB, LABELS, STRANGER, tags
from tests.loopback import Loopback, refused_port


@pytest.fixture
def captured() -> Iterator[CapturedWindows]:
    with capture_windows(key_labels=LABELS) as found:
        yield found


@every_client
@pytest.mark.parametrize(
    ("headers", "label"),
    [
        ({"Authorization": f"Bearer {ALICE}"}, "alice"),
        ({"authorization": f"token  {BOB}"}, "bob"),
        ({"X-Api-Key": BOB, "Authorization": f"Bearer {STRANGER}"}, "bob"),
        ({"x-goog-api-key": STRANGER}, "other"),
        ({"Authorization": "AWS4-HMAC-SHA256 Credential=A/B, SignedHeaders=host, Signature=ab"}, None),
        ({"Accept": ALICE}, None),
        (None, None),
    ],
)
def test_a_call_has_the_label_of_its_key(
    driver: Driver,
    headers: Optional[dict[str, str]],
    label: Optional[str],
    server: Loopback,
    captured: CapturedWindows,
) -> None:
    for body in (None, b"{}"):
        got = driver.call(Ask(f"{server.url}/plain", headers=headers, body=body))
        assert got.status == 200
        assert tags(captured) == [({} if label is None else {"key": label}, 1, 1)]


@every_client
def test_calls_of_one_client_have_their_own_labels(
    driver: Driver, server: Loopback, captured: CapturedWindows
) -> None:
    for key, label in ((ALICE, "alice"), (BOB, "bob"), (STRANGER, "other"), (ALICE, "alice")):
        driver.call(Ask(f"{server.url}/plain", headers={"api-key": key}))
        assert tags(captured) == [({"key": label}, 1, 1)]


@every_client
@pytest.mark.parametrize("path", ENDINGS)
def test_a_labelled_call_is_recorded_as_any_other(
    driver: Driver, path: str, server: Loopback, captured: CapturedWindows
) -> None:
    for how in ("whole", "streamed"):
        got = driver.call(Ask(f"{server.url}{path}", how, b"b" * 1000, headers={"x-api-key": ALICE}))
        assert got.status == 200
        captured.flush()
        (metric,) = captured[-1].metrics
        served = server.log[-1]
        assert metric.request_count == 1
        assert (metric.total_request_bytes, metric.total_response_bytes) == (1000, served.response_bytes)


@every_client
def test_a_call_that_fails_has_the_label_of_its_key(driver: Driver, captured: CapturedWindows) -> None:
    with pytest.raises(Exception, match=r"."):
        driver.call(Ask(f"http://127.0.0.1:{refused_port()}/plain", headers={"x-api-key": ALICE}))
    assert tags(captured) == [({"key": "alice"}, 1, 1)]


@every_client
def test_the_key_of_the_first_hop_counts(driver: Driver, server: Loopback, captured: CapturedWindows) -> None:
    if driver.redirects is None:
        return
    elsewhere = Loopback("localhost")
    try:
        target = f"{elsewhere.url}/plain" if driver.name != "urllib3" else "/plain"  # a pool has one host
        url = f"{server.url}/redirect?to={target}"
        assert (
            driver.call(Ask(url, headers={"Authorization": f"Bearer {ALICE}"}, redirected=True)).status == 200
        )
    finally:
        elsewhere.close()
    found = [each for each, _, _ in tags(captured)]
    if driver.redirects == "attempts":
        assert found == [{"key": "alice"}]
    else:  # each hop is a call, of which some clients strip the header
        assert found[0] == {"key": "alice"}
        assert all(each in ({}, {"key": "alice"}) for each in found)


@every_client
def test_a_tag_of_the_application_wins(driver: Driver, server: Loopback, captured: CapturedWindows) -> None:
    ask = Ask(f"{server.url}/plain", headers={"x-api-key": ALICE})
    with recost.tag(key="mine", team="red"):
        driver.call(ask)
    assert tags(captured) == [({"key": "mine", "team": "red"}, 1, 1)]
    with recost.tag(team="red"), recost.track() as spend:
        driver.call(ask)
    assert tags(captured) == [({"key": "alice", "team": "red"}, 1, 1)]
    assert spend.calls == 1


@every_client
def test_without_the_setting_no_call_is_labelled(driver: Driver, server: Loopback) -> None:
    with capture_windows() as captured:
        driver.call(Ask(f"{server.url}/plain", headers={"x-api-key": ALICE}))
        assert tags(captured) == [({}, 1, 1)]
    with capture_windows(key_labels=LABELS):
        pass
    with capture_windows() as captured:
        driver.call(Ask(f"{server.url}/plain", headers={"x-api-key": ALICE}))
        assert tags(captured) == [({}, 1, 1)]
