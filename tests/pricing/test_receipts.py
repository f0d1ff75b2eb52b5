"""What is billed once is counted once, whatever reads it again."""

from __future__ import annotations

from decimal import Decimal
from typing import Optional

import pytest

from recost.captured import CapturedResponse
from recost.pricing.cost import Cost
from recost.pricing.pricer import PricedCall, Pricer, Receipts
from recost.pricing.registry import ProviderRegistry
from recost.pricing.route import Routes
from recost.pricing.usage import Usage, read_usage
from recost.pricing.usage.fields import receipt
from tests.pricing.usage.responses.build import SMALL, chat, plain
from tests.pricing.usage.responses.openai import response
from tests.pricing.usage.responses.openai_batches import BATCH, CONTENT, MINI, RUN, batch, counts, line, run
from tests.pricing.usage.responses.openai_tools import USAGE

OPENAI = "api.openai.com"
STORED = "/v1/responses/resp_1"
DONE = {**response("gpt-5", USAGE), "id": "resp_1", "background": True}


def priced(pricer: Pricer, method: str, path: str, usage: Optional[Usage], host: str = OPENAI) -> Cost:
    route = Routes(ProviderRegistry()).find((host, path, method))
    return pricer.price(PricedCall(route, status=200, response_bytes=1000, usage=usage))


def read(path: str, document: object, shape: str = "openai") -> Optional[Usage]:
    return read_usage(shape, CapturedResponse(plain(document), path=path))


@pytest.fixture
def pricer() -> Pricer:
    pytest.importorskip("genai_prices", minversion="0.2", reason="genai-prices is not installed")
    return Pricer()


def test_a_response_in_the_background_costs_once(pricer: Pricer) -> None:
    costs = [priced(pricer, "GET", STORED, read(STORED, DONE)).usd for _ in range(3)]
    assert costs == [Decimal("0.00625"), 0, 0]


def test_a_run_of_an_assistant_costs_once(pricer: Pricer) -> None:
    done = run({"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100})
    asked = RUN.rpartition("/")[0]
    queued = run(None, "code_interpreter", status="queued")
    assert priced(pricer, "POST", asked, read(asked, queued)).usd is None
    costs = [priced(pricer, "GET", RUN, read(RUN, each)).usd for each in (queued, done, done)]
    assert costs == [0, Decimal("0.0035"), 0]
    cancelled = f"{RUN}/cancel"
    assert priced(pricer, "POST", cancelled, read(cancelled, done)).usd == 0


def test_research_that_is_read_twice_costs_once(pricer: Pricer) -> None:
    host, path = "api.perplexity.ai", "/async/chat/completions/a1"
    answer = chat("sonar-deep-research", {**SMALL, "cost": {"total_cost": 0.25}})
    usage = read(path, {"id": "a1", "status": "COMPLETED", "response": answer}, "perplexity")
    costs = [priced(pricer, "GET", path, usage, host) for _ in range(2)]
    assert [(cost.usd, cost.source) for cost in costs] == [(Decimal("0.25"), "reported"), (0, "computed")]


def test_reading_the_steps_of_a_run_costs_nothing(pricer: Pricer) -> None:
    for path in (f"{RUN}/steps/step_1", f"{RUN}/steps", RUN.rpartition("/")[0]):
        cost = priced(pricer, "GET", path, None)
        assert (cost.usd, cost.source) == (Decimal(0), "computed")


def test_what_a_request_asks_for_is_billed_whatever_its_id(pricer: Pricer) -> None:
    path = "/v1/responses"
    costs = [priced(pricer, "POST", path, read(path, DONE)).usd for _ in range(2)]
    assert costs == [Decimal("0.00625")] * 2
    assert priced(pricer, "GET", STORED, read(STORED, DONE)).usd == 0
    cancelled = priced(pricer, "POST", f"{STORED}/cancel", read(f"{STORED}/cancel", DONE))
    assert (cancelled.usd, cancelled.source) == (Decimal(0), "computed")


def test_a_batch_costs_once_by_its_poll_or_its_file(pricer: Pricer) -> None:
    done = read(BATCH, batch(MINI, counts(2000, 2000)))
    body = {"object": "chat.completion", "model": MINI, "usage": counts(2000, 2000)}
    output = read(CONTENT, line(1, body))
    assert [priced(pricer, "GET", BATCH, done).usd for _ in range(2)] == [Decimal("0.00075"), 0]
    assert priced(pricer, "GET", CONTENT, output).usd == 0
    other = Pricer()
    assert priced(other, "GET", CONTENT, output).usd == Decimal("0.00075")
    assert priced(other, "GET", BATCH, done).usd == 0


def test_a_transcript_costs_once(pricer: Pricer) -> None:
    path, host = "/v2/transcript/t1", "api.assemblyai.com"
    done = read(path, {"id": "t1", "status": "completed", "audio_duration": 3600}, "assemblyai")
    assert [priced(pricer, "GET", path, done, host).usd for _ in range(2)] == [Decimal("0.15"), 0]


def test_what_has_grown_costs_what_is_new() -> None:
    pricer = Pricer()
    path, host = "/v2/transcript/t1", "api.assemblyai.com"
    costs = []
    for seconds in (1800, 3600, 1800):
        document = {"id": "t1", "status": "completed", "audio_duration": seconds}
        found = priced(pricer, "GET", path, read(path, document, "assemblyai"), host)
        costs.append(round(found.usd or 0, 12))  # of $0.15 an hour, a second has no end of digits
    assert costs == [Decimal("0.075"), Decimal("0.075"), 0]


def test_of_ids_without_end_the_last_are_remembered() -> None:
    receipts = Receipts(most=100)
    for number in range(1000):
        receipts.keep(receipt(f"id{number}"), Decimal(number))
        receipts.keep(receipt("always"), Decimal(1))
    assert len(receipts) == 100
    assert receipts.paid(receipt("always")) == 1
    assert receipts.paid(receipt("id999", "unheard-of")) == 999
    assert receipts.paid(receipt("id0")) is None


def test_an_id_is_a_text() -> None:
    assert receipt(None, 7, "", ["a"]) == ()
    assert "id1" not in repr(Usage(receipts=receipt("id1")))


@pytest.mark.parametrize(
    "path",
    ["//openai/deployments/gpt-4o/chat/completions", "/openai//deployments/gpt-4o/chat///completions"],
)
def test_empty_segments_of_a_path_change_no_price(pricer: Pricer, path: str) -> None:
    usage = Usage("gpt-4o-2024-08-06", {"input_tokens": 100, "output_tokens": 50})
    cost = priced(pricer, "POST", path, usage, "x.openai.azure.com")
    assert (cost.usd, cost.source, cost.provider) == (Decimal("0.00075"), "computed", "azure")
