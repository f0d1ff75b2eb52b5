"""algoliasearch: searching, indexing and the agents' event streams; sync over requests, async over aiohttp.

A call that fails goes to another of the application's hosts.
"""

from __future__ import annotations

import asyncio
import json
import os
from importlib import import_module
from typing import Any

from tests.integration.named_hosts import Answer, Asked
from tests.integration.sdks import on_threads, refuses
from tests.integration.sdks._chat import refuses_async

PACKAGE = DISTRIBUTION = "algoliasearch"
REQUIRES = ("algoliasearch>=4.48",)
TRANSPORT = "urllib3 (requests) / aiohttp"
_APP = "testapp"
_READ = f"{_APP}-dsn.algolia.net"
HOSTS = (_READ, f"{_APP}.algolia.net", *(f"{_APP}-{number}.algolianet.com" for number in (1, 2, 3)))
_AGENT, _LEFT_AGENT = "8f14e45f-ceea-4671-9f3a-0a5d3b1c9e7d", "c9f0f895-fb98-4ab9-9f3a-0a5d3b1c9e7d"
_COMPLETIONS = "/agent-studio/{}/agents/{}/completions"
EXPECTED = {
    ("algolia", "/{id}/indexes/movies/query", "POST"): (58, 8),
    ("algolia", "/{id}/indexes/movies/batch", "POST"): (2, 0),
    ("algolia", "/{id}/indexes/movies/{id}", "GET"): (5, 3),
    ("algolia", "/{id}/indexes/movies/browse", "POST"): (4, 0),
    ("unknown", _COMPLETIONS.format("{id}", "{id}"), "POST"): (4, 0),
}
LEFT = {
    ("unknown", _COMPLETIONS.format("{id}", "{id}"), "POST"): {_COMPLETIONS.format(1, _LEFT_AGENT)},
}

_EVENTS = [b'data: {"type": "text-delta", "delta": "%s"}\n\n' % word for word in (b"good ", b"day")]
_SEARCHED: dict[str, Any] = {
    "hits": [{"objectID": "1", "title": "Alien"}],
    "query": "alien",
    "params": "query=alien",
    "processingTimeMS": 1,
}


def _search(asked: Asked) -> Answer:
    question = json.loads(asked.body)["query"]
    if question == "refuse":
        return Answer(b'{"message": "bad query", "status": 400}', 400)
    if asked.host == _READ and question == "stall":
        return Answer(stall=True)
    if asked.host == _READ and question == "broken":
        return Answer(b'{"message": "down"}', 500)
    if question == "busy" and asked.repeats % 2 == 0:
        return Answer(b'{"message": "later"}', 429)
    return Answer(json.dumps(_SEARCHED).encode())


def answer(asked: Asked) -> Answer:
    """Speak like the hosts of an application."""
    last = asked.path.rpartition("/")[2]
    if last == "query":
        return _search(asked)
    if last == "completions":
        return Answer([*_EVENTS, b"data: [DONE]\n\n"], content_type="text/event-stream")
    if last == "batch":
        return Answer(b'{"taskID": 1, "objectIDs": ["1"]}')
    if last == "browse":
        more = "cursor" not in json.loads(asked.body)
        page = {**_SEARCHED, **({"cursor": "c"} if more else {})}
        return Answer(json.dumps(page).encode())
    if last == "404":
        return Answer(b'{"message": "ObjectID does not exist", "status": 404}', 404)
    if asked.repeats % 2 == 0:
        return Answer(b'{"message": "later"}', 429, headers={"Retry-After": "0"})
    return Answer(b'{"objectID": "1", "title": "Alien"}')


def _chat(agent: str) -> dict[str, Any]:
    messages = [{"role": "user", "content": "hello"}]
    return {
        "agent_id": agent,
        "compatibility_mode": "ai-sdk-5",
        "agent_completion_request": {"messages": messages},
    }


def _prepare() -> tuple[Any, Any]:
    """Take the waiting out of the retries; return the module of the clients, and what a refusal raises."""
    retry: Any = import_module("algoliasearch.http.retry")
    retry.DEFAULT_RATE_LIMIT_WAIT_SECONDS = 0.0
    adapters: Any = import_module("requests.adapters")
    # The SDK doesn't have requests look at the environment.
    adapters.DEFAULT_CA_BUNDLE_PATH = os.environ["SSL_CERT_FILE"]
    refused: Any = import_module("algoliasearch.http.exceptions").RequestException
    return import_module("algoliasearch.search.client"), refused


_HURRY = {"timeouts": {"read": 200, "connect": 30_000}}
_QUESTIONS = ("alien", "broken", "busy")


def _use_sync() -> None:
    module, refused = _prepare()
    client = module.SearchClientSync(_APP, "key")

    def search(question: str, **options: Any) -> Any:
        return client.search_single_index("movies", {"query": question}, **options)

    assert search("stall", request_options=_HURRY).hits[0].object_id == "1"
    for question in _QUESTIONS:
        assert module.SearchClientSync(_APP, "key").search_single_index("movies", {"query": question}).hits
    assert refuses(lambda: search("refuse"), refused).status_code == 400
    assert client.save_objects("movies", [{"objectID": "1"}])[0].task_id == 1
    assert client.get_object("movies", "1")["title"] == "Alien"  # two attempts, by urllib3
    refuses(lambda: client.get_object("movies", "404"), refused)
    found: list[Any] = []
    client.browse_objects("movies", found.append)
    assert len(found) == 2
    on_threads(lambda: search("alien"))
    client.close()

    agents: Any = import_module("algoliasearch.agent_studio.client").AgentStudioClientSync(_APP, "key")
    events = agents.create_agent_completion_stream(**_chat(_AGENT))
    assert "".join(event.data["delta"] for event in events if event.data) == "good day"
    left = agents.create_agent_completion_stream(**_chat(_LEFT_AGENT))
    next(left)
    left.close()
    agents.close()


async def _use_async() -> None:
    module, refused = _prepare()
    async with module.SearchClient(_APP, "key") as client:

        async def search(question: str, **options: Any) -> Any:
            return await client.search_single_index("movies", {"query": question}, **options)

        assert (await search("stall", request_options=_HURRY)).hits[0].object_id == "1"
        for question in _QUESTIONS:
            async with module.SearchClient(_APP, "key") as fresh:
                assert (await fresh.search_single_index("movies", {"query": question})).hits
        assert (await refuses_async(search("refuse"), refused)).status_code == 400
        saved, *_ = await asyncio.gather(
            client.save_objects("movies", [{"objectID": "1"}]), search("alien"), search("alien")
        )
        assert saved[0].task_id == 1
        assert (await client.get_object("movies", "1"))["title"] == "Alien"
        await refuses_async(client.get_object("movies", "404"), refused)
        found: list[Any] = []
        await client.browse_objects("movies", found.append)
        assert len(found) == 2
    studio: Any = import_module("algoliasearch.agent_studio.client").AgentStudioClient
    async with studio(_APP, "key") as agents:
        events = agents.create_agent_completion_stream(**_chat(_AGENT))
        assert "".join([event.data["delta"] async for event in events if event.data]) == "good day"
        left = agents.create_agent_completion_stream(**_chat(_LEFT_AGENT))
        await left.__anext__()
        await left.aclose()


def use() -> None:
    """Make every call."""
    _use_sync()
    asyncio.run(_use_async())
