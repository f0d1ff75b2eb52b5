"""Responses of Exa, Tavily, Serper, Firecrawl and Pinecone, each from its provider's reference."""

from __future__ import annotations

from tests.pricing.usage.responses.build import SSE, TEXT, sample, sse, used

_RESULT = {"title": TEXT, "url": "https://a.example", "text": TEXT, "costDollars": {"total": 99}}

SEARCH = [
    sample(
        "exa: search",
        "/search",
        {
            "requestId": "b5947044c4b78efa9552a7c89b306d95",
            "resolvedSearchType": "neural",
            "results": [_RESULT],
            "costDollars": {"total": 0.005, "search": {"neural": 0.005}},
        },
        used(usd="0.005"),
    ),
    sample(
        "exa: contents",
        "/contents",
        {
            "requestId": "1",
            "results": [],
            "statuses": [],
            "costDollars": {"total": 0.001, "contents": {"text": 0.001}},
        },
        used(usd="0.001"),
    ),
    sample(
        "exa: answer, streamed",
        "/answer",
        sse(
            {"choices": [{"delta": {"content": "Hi"}}]},
            {"citations": [], "costDollars": {"total": 0.0055}},
            done=False,
        ),
        used(usd="0.0055"),
        SSE,
    ),
    sample(
        "exa: research",
        "/research/v1/1",
        {
            "researchId": "1",
            "status": "completed",
            "output": {"content": TEXT},
            "costDollars": {"total": 0.1585, "numSearches": 4, "numPages": 5, "reasoningTokens": 1000},
        },
        used(usd="0.1585"),
    ),
    sample("exa: error", "/search", {"requestId": "1", "error": TEXT, "tag": "INVALID"}, None),
    sample(
        "tavily: search",
        "/search",
        {
            "query": TEXT,
            "answer": None,
            "images": [],
            "results": [],
            "response_time": 1.67,
            "usage": {"credits": 1},
            "request_id": "1",
        },
        used(credits=1),
    ),
    sample(
        "tavily: advanced search",
        "/search",
        {
            "query": TEXT,
            "results": [],
            "response_time": "2.10",
            "auto_parameters": {"search_depth": "advanced"},
            "usage": {"credits": 2},
        },
        used(credits=2),
    ),
    sample(
        "tavily: search that names no credits",
        "/search",
        {"query": TEXT, "results": [], "response_time": 1.67},
        None,
    ),
    sample(
        "tavily: extraction",
        "/extract",
        {
            "results": [{"url": "https://a.example", "raw_content": TEXT}],
            "failed_results": [],
            "usage": {"credits": 5},
        },
        used(credits=5),
    ),
    sample(
        "serper: search",
        "/search",
        {
            "searchParameters": {"q": TEXT, "num": 20, "type": "search", "engine": "google"},
            "organic": [{"title": TEXT, "link": "https://a.example", "snippet": TEXT, "position": 1}],
            "credits": 2,
        },
        used(credits=2),
    ),
    sample(
        "serper: batch",
        "/search",
        [
            {"searchParameters": {"q": TEXT}, "organic": [{"title": TEXT, "credits": 9}], "credits": 1},
            {"searchParameters": {"q": TEXT}, "organic": [], "credits": 2},
        ],
        used(credits=3),
    ),
    sample("serper: error", "/search", {"message": TEXT, "statusCode": 400}, None),
    sample(
        "firecrawl: search",
        "/v2/search",
        {"success": True, "data": {"web": [{"title": TEXT}]}, "creditsUsed": 12, "id": "1"},
        used(credits=12),
    ),
    sample(
        "firecrawl: scrape",
        "/v2/scrape",
        {
            "success": True,
            "data": {"markdown": TEXT, "metadata": {"title": TEXT, "statusCode": 200, "creditsUsed": 5}},
        },
        used(credits=5),
    ),
    sample(
        "firecrawl: crawl",
        "/v2/crawl/1",
        {
            "status": "completed",
            "total": 2,
            "completed": 2,
            "creditsUsed": 2,
            "expiresAt": "2024-00-00T00:00:00.000Z",
            "data": [{"markdown": TEXT, "metadata": {"creditsUsed": 1}}],
        },
        used(credits=2),
    ),
    sample(
        "firecrawl: search, credits by page",
        "/v1/search",
        {
            "success": True,
            "data": [
                {"markdown": TEXT, "metadata": {"creditsUsed": 1}},
                {"markdown": TEXT, "metadata": {"creditsUsed": 2}},
            ],
        },
        used(credits=3),
    ),
    sample(
        "firecrawl: crawl that was started",
        "/v2/crawl",
        {"success": True, "id": "1", "url": "https://api.firecrawl.dev/v2/crawl/1"},
        None,
    ),
]

PINECONE = [
    sample(
        "pinecone: query",
        "/query",
        {
            "results": [],
            "matches": [{"id": "v1", "score": 0.9, "values": [], "metadata": {"usage": {"readUnits": 77}}}],
            "namespace": "ns",
            "usage": {"readUnits": 6},
        },
        used(read_units=6),
    ),
    sample(
        "pinecone: fetch",
        "/vectors/fetch",
        {"vectors": {"v1": {"id": "v1", "values": [0.1]}}, "namespace": "ns", "usage": {"readUnits": 1}},
        used(read_units=1),
    ),
    sample(
        "pinecone: list",
        "/vectors/list",
        {
            "vectors": [{"id": "v1"}],
            "pagination": {"next": "c2=="},
            "namespace": "",
            "usage": {"readUnits": 1},
        },
        used(read_units=1),
    ),
    sample(
        "pinecone: search of text",
        "/records/namespaces/ns/search",
        {
            "result": {"hits": [{"_id": "r1", "_score": 0.8, "fields": {"text": TEXT}}]},
            "usage": {"read_units": 6, "embed_total_tokens": 8, "rerank_units": 1},
        },
        used(read_units=6, input_tokens=8, rerank_units=1),
    ),
    sample("pinecone: upsert", "/vectors/upsert", {"upsertedCount": 10}, used(records=10)),
    sample(
        "pinecone: embeddings",
        "/embed",
        {
            "model": "multilingual-e5-large",
            "vector_type": "dense",
            "data": [{"values": [0.1]}],
            "usage": {"total_tokens": 16},
        },
        used("multilingual-e5-large", input_tokens=16),
    ),
    sample(
        "pinecone: rerank",
        "/rerank",
        {
            "model": "bge-reranker-v2-m3",
            "data": [{"index": 0, "score": 0.5}],
            "usage": {"rerank_units": 1},
        },
        used("bge-reranker-v2-m3", rerank_units=1),
    ),
    sample(
        "pinecone: statistics",
        "/describe_index_stats",
        {"namespaces": {"": {"vectorCount": 50000}}, "dimension": 1024, "totalVectorCount": 50000},
        None,
    ),
]


SAMPLES = [*SEARCH, *PINECONE]
