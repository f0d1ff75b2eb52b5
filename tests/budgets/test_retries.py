"""SDKs that try again whatever goes wrong end at once when a budget refuses their call."""

from __future__ import annotations

import asyncio
import importlib.util
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

import recost
from recost import Budget, ProviderDef, RecostBudgetExceededError
from recost.interceptors import interception
from tests.loopback import Loopback

MESSAGES: Any = [{"role": "user", "content": "hello"}]
STAINLESS = {
    "openai": ("OpenAI", "AsyncOpenAI"),
    "anthropic": ("Anthropic", "AsyncAnthropic"),
    "groq": ("Groq", "AsyncGroq"),
    "together": ("Together", "AsyncTogether"),
    "cerebras.cloud.sdk": ("Cerebras", "AsyncCerebras"),
    "fireworks": ("Fireworks", "AsyncFireworks"),
}


@pytest.fixture
def spent(server: Loopback, tmp_path: Path) -> Iterator[Loopback]:
    """A server, and a budget for it that is used up."""
    errors: list[Exception] = []
    rule = ProviderDef("127.0.0.1", "acme", cost_per_request_cents=10)
    budget = Budget("0.1", on_exceed="raise", tags={"tenant": "acme"})
    handle = recost.init(
        budgets=[budget], custom_providers=[rule], local_dir=tmp_path, on_error=errors.append
    )
    with recost.tag(tenant="acme"):
        urllib.request.urlopen(server.url + "/plain").close()
        server.log.clear()
        yield server
    handle.dispose()
    assert errors == []
    assert not interception.patches.names()


def client_of(name: str, kind: int, url: str, waits: list[Any], **options: Any) -> Any:
    module = pytest.importorskip(name, exc_type=ImportError)
    if "cerebras" in name:
        options["warm_tcp_connection"] = False
    client = getattr(module, STAINLESS[name][kind])(api_key="k", base_url=url, max_retries=3, **options)
    pause = client._calculate_retry_timeout

    def note(*args: Any, **kwargs: Any) -> float:
        waits.append(pause(*args, **kwargs))
        return 0.0

    client._calculate_retry_timeout = note
    return client


def check(error: Any) -> RecostBudgetExceededError:
    """Return the refusal. openai 3 lets it pass, other SDKs raise their own error caused by it."""
    if isinstance(error, RecostBudgetExceededError):
        return error
    assert type(error).__name__ == "APIConnectionError"
    assert error.request.url.path.startswith("/")
    assert isinstance(error.__cause__, RecostBudgetExceededError)
    return error.__cause__


def ask(client: Any, **options: Any) -> Any:
    if hasattr(client, "messages"):
        return client.messages.create(model="m", max_tokens=9, messages=MESSAGES, **options)
    return client.chat.completions.create(model="m", messages=MESSAGES, **options)


@pytest.mark.parametrize("name", STAINLESS)
def test_an_sdk_ends_at_once(name: str, spent: Loopback) -> None:
    waits: list[Any] = []
    with client_of(name, 0, spent.url, waits) as client:
        for options in ({}, {"stream": True}, {}):
            with pytest.raises(Exception, match=r".") as caught:
                ask(client, **options)
            check(caught.value)
    assert waits == []
    assert spent.log == []


@pytest.mark.parametrize("name", STAINLESS)
async def test_an_async_sdk_ends_at_once(name: str, spent: Loopback) -> None:
    waits: list[Any] = []
    async with client_of(name, 1, spent.url, waits) as client:
        results = await asyncio.gather(*[ask(client) for _ in range(3)], return_exceptions=True)
    for error in results:
        check(error)
    assert waits == []
    assert spent.log == []


@pytest.mark.parametrize("name", ["openai", "anthropic"])
def test_what_is_called_instead_is_tried_again_as_ever(name: str, spent: Loopback) -> None:
    """An application falls back on something else while it handles the refusal."""
    waits: list[Any] = []
    with client_of(name, 0, f"{spent.url}/flaky", waits, default_query={"fail": "9", "id": name}) as client:
        with pytest.raises(Exception, match=r".") as refused:
            ask(client)
        check(refused.value)
        try:
            raise refused.value
        except type(refused.value):
            with recost.tag(tenant=None), pytest.raises(Exception, match=r".") as caught:
                ask(client)
            assert caught.value.status_code == 503  # type: ignore[attr-defined]
    assert len(waits) == 3
    assert len(spent.log) == 4


@pytest.mark.parametrize("name", ["openai", "anthropic"])
def test_a_server_that_is_gone_is_tried_again_as_ever(name: str, spent: Loopback) -> None:
    waits: list[Any] = []
    with client_of(name, 0, f"{spent.url}/reset", waits) as client:
        with pytest.raises(Exception, match=r".") as caught:
            ask(client)
        try:
            raise check(caught.value)
        except RecostBudgetExceededError:
            with recost.tag(tenant=None), pytest.raises(Exception, match=r".") as caught:
                ask(client)
        assert not isinstance(caught.value.__cause__, RecostBudgetExceededError)
    assert len(waits) == 3
    assert len(spent.log) == 4


@pytest.mark.filterwarnings("ignore:Boto3 will no longer support Python")
@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_botocore_ends_at_once(mode: Any, spent: Loopback) -> None:
    boto3 = pytest.importorskip("boto3")
    from botocore.config import Config  # type: ignore[import-untyped, unused-ignore]
    from botocore.exceptions import HTTPClientError  # type: ignore[import-untyped, unused-ignore]

    client = boto3.client(
        "s3",
        endpoint_url=spent.url,
        aws_access_key_id="a",
        aws_secret_access_key="b",
        region_name="us-east-1",
        config=Config(retries={"mode": mode, "max_attempts": 3}),
    )
    sent: list[Any] = []
    client.meta.events.register("before-send.s3", lambda request, **_: sent.append(request))
    with pytest.raises(HTTPClientError) as caught:
        client.list_buckets()
    assert isinstance(caught.value.__cause__ or caught.value.__context__, RecostBudgetExceededError)
    assert len(sent) == 1
    assert spent.log == []
    client.close()


def use_stripe(url: str) -> None:
    import stripe

    stripe.StripeClient("sk_test_x", base_addresses={"api": url}, max_network_retries=3).v1.customers.list()


def use_requests(url: str) -> None:
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    with requests.Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=Retry(5, backoff_factor=10)))
        session.get(url, timeout=10)


def use_urllib3(url: str) -> None:
    import urllib3

    with urllib3.PoolManager(retries=urllib3.Retry(5, backoff_factor=10)) as pool:
        pool.request("GET", url)


def use_sendgrid(url: str) -> None:
    import sendgrid  # type: ignore[import-untyped, unused-ignore]

    sendgrid.SendGridAPIClient("k", host=url).client.mail.send.post({})


def use_mistral(url: str) -> None:
    from mistralai.client import Mistral  # type: ignore[import-not-found, unused-ignore]

    Mistral(api_key="k", server_url=url).chat.complete(model="m", messages=MESSAGES)


def use_cohere(url: str) -> None:
    import cohere  # type: ignore[import-not-found, unused-ignore]

    cohere.ClientV2(api_key="k", base_url=url).chat(model="m", messages=MESSAGES)


def use_genai(url: str) -> None:
    from google import genai  # type: ignore[import-not-found, import-untyped, unused-ignore]

    options: Any = {"base_url": url}
    genai.Client(api_key="k", http_options=options).models.generate_content(model="m", contents="hello")


@pytest.mark.parametrize(
    ("package", "use"),
    [
        ("stripe", use_stripe),
        ("requests", use_requests),
        ("urllib3", use_urllib3),
        ("sendgrid", use_sendgrid),
        ("mistralai", use_mistral),
        ("cohere", use_cohere),
        ("google.genai", use_genai),
    ],
)
def test_others_do_not_try_again_anyway(
    package: str, use: Callable[[str], None], spent: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        found = importlib.util.find_spec(package)
    except ModuleNotFoundError:
        found = None
    if found is None:
        pytest.skip(f"{package} is not installed")
    refusals: list[Any] = []
    gate = interception.gate
    assert gate is not None

    def counted(exchange: Any) -> None:
        refusals.append(exchange)
        gate(exchange)

    monkeypatch.setattr(interception, "gate", counted)
    with pytest.raises(Exception, match=r".") as caught:
        use(spent.url)
    causes = (caught.value, caught.value.__cause__)
    assert any(isinstance(error, RecostBudgetExceededError) for error in causes)
    assert len(refusals) == 1
    assert spent.log == []
