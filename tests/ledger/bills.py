"""Made-up bills, and the routes that answer with them in each provider's own form."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, NamedTuple

from tests.ledger.fakes import Answer, Asked

DAY = timedelta(days=1)
FIRST = date(2026, 11, 1)
MODELS = ("gpt-6-astra", "gpt-6-nova", "text-embedding-4")
KEYS = {"key_a": "alice", "key_b": "bob"}


class Line(NamedTuple):
    """What one key spent with one model on one day."""

    day: date
    model: str
    key: str
    requests: int
    input: int
    output: int
    usd: Decimal


def bill(days: int, first: date = FIRST) -> list[Line]:
    """Return lines whose amounts have many digits."""
    return [
        Line(
            first + index * DAY,
            model,
            key,
            10 + index,
            1000 * (index + 1),
            100 + place,
            Decimal(index * 7 + place * 3 + len(key)) / 7919 * 10,
        )
        for index in range(days)
        for place, model in enumerate(MODELS)
        for key in KEYS
    ]


def stamp(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"


def epoch(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=timezone.utc).timestamp())


def openai(lines: list[Line], a_page: int = 4) -> Callable[[Asked], Any]:
    """Answer as api.openai.com does, in pages of a few buckets."""

    def costs(line: Line) -> list[dict[str, Any]]:
        return [
            {
                "object": "organization.costs.result",
                "amount": {"value": float(line.usd), "currency": "usd"},
                "line_item": f"{line.model}, input_tokens",
                "project_id": "proj_1",
                "user_id": None,
                "api_key_id": line.key,
                "quantity": float(line.input),
                "quantity_unit": "tokens",
            }
        ]

    def completions(line: Line) -> list[dict[str, Any]]:
        return [
            {
                "object": "organization.usage.completions.result",
                "input_tokens": line.input,
                "input_cached_tokens": line.input // 2,
                "output_tokens": line.output,
                "num_model_requests": line.requests,
                "project_id": "proj_1",
                "api_key_id": line.key,
                "model": line.model,
                "batch": False,
                "service_tier": "default",
            }
        ]

    def route(asked: Asked) -> Any:
        if asked.path.endswith("/api_keys"):
            data = [
                {"object": "organization.project.api_key", "id": id_, "name": name}
                for id_, name in KEYS.items()
            ]
            return {
                "object": "list",
                "data": data,
                "has_more": False,
                "first_id": "key_a",
                "last_id": "key_b",
            }
        kind = asked.path.rpartition("/")[2]
        results: Callable[[Line], list[dict[str, Any]]] = {"costs": costs, "completions": completions}.get(
            kind, lambda _: []
        )
        start, end = int(asked.one("start_time") or 0), int(asked.one("end_time") or 2**40)
        days = sorted({line.day for line in lines if start <= epoch(line.day) < end})
        skipped = int(asked.one("page") or 0)
        buckets = [
            {
                "object": "bucket",
                "start_time": epoch(day),
                "end_time": epoch(day + DAY),
                "results": [each for line in lines if line.day == day for each in results(line)],
            }
            for day in days[skipped : skipped + a_page]
        ]
        more = skipped + a_page < len(days)
        return {
            "object": "page", "data": buckets, "has_more": more,
            "next_page": str(skipped + a_page) if more else None,
        }  # fmt: skip

    return route


class Anthropic:
    """Answers as api.anthropic.com does: the beta has rows, the older reports have buckets."""

    def __init__(self, lines: list[Line], a_page: int = 5, *, beta: bool = True) -> None:
        self.lines, self.a_page, self.beta = lines, a_page, beta

    def __call__(self, asked: Asked) -> Any:
        if asked.path.endswith("/api_keys"):
            data = [{"id": key, "type": "api_key", "name": name} for key, name in KEYS.items()]
            return {"data": data, "has_more": False, "first_id": "key_a", "last_id": "key_b"}
        if "/analytics/" in asked.path and not self.beta:
            error = {"type": "permission_error", "message": "no beta"}
            return Answer({"type": "error", "error": error}, 403)
        start, end = asked.one("starting_at") or "", asked.one("ending_at") or "9"
        within = [line for line in self.lines if start <= stamp(line.day) < end]
        found = self._found(asked.path, within)
        skipped = int(asked.one("page") or 0)
        more = skipped + self.a_page < len(found)
        return {
            "data": found[skipped : skipped + self.a_page],
            "has_more": more,
            "next_page": str(skipped + self.a_page) if more else None,
            "data_refreshed_at": stamp(FIRST),
        }

    def _found(self, path: str, within: list[Line]) -> list[dict[str, Any]]:
        if path.endswith("/analytics/cost"):
            return [
                {**self._span(line.day), "group": self._group(line), "cost": self._cost(line)}
                for line in within
            ]
        if path.endswith("/analytics/usage"):
            return [{**self._span(x.day), "group": self._group(x), "usage": self._usage(x)} for x in within]
        result = self._reported if path.endswith("/cost_report") else self._counted
        return [
            {**self._span(day), "results": [result(line) for line in within if line.day == day]}
            for day in sorted({line.day for line in within})
        ]

    @staticmethod
    def _span(day: date) -> dict[str, Any]:
        return {"starting_at": stamp(day), "ending_at": stamp(day + DAY)}

    @staticmethod
    def _group(line: Line) -> dict[str, Any]:
        return {"model": line.model, "api_key_id": line.key, "workspace_id": None, "service_tier": "standard"}

    @staticmethod
    def _cost(line: Line) -> dict[str, Any]:
        cents = f"{line.usd * 100:f}"
        return {"amount": cents, "list_amount": cents, "currency": "USD", "requests": line.requests}

    def _usage(self, line: Line) -> dict[str, Any]:
        return {
            "uncached_input_tokens": line.input - 300,
            "cache_read_input_tokens": 200,
            "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": 100},
            "output_tokens": line.output,
            "requests": line.requests,
            "server_tool_use": {"web_search_requests": 0},
        }

    def _counted(self, line: Line) -> dict[str, Any]:
        return {**self._group(line), **self._usage(line), "requests": None}

    @staticmethod
    def _reported(line: Line) -> dict[str, Any]:
        return {
            "amount": f"{line.usd * 100:f}",
            "currency": "USD",
            "description": f"{line.model} usage",
            "model": line.model,
            "workspace_id": None,
            "service_tier": "standard",
        }


def openrouter(lines: list[Line], *, ignores_keys: bool = False) -> Callable[[Asked], Any]:
    """Answer as openrouter.ai does. Each key's rows lack the last model, which a deleted key used."""

    def item(day: str, model: str, found: list[Line]) -> dict[str, Any]:
        return {
            "date": f"{day} 00:00:00",
            "model": model,
            "model_permaslug": f"{model}-2026",
            "endpoint_id": "e",
            "provider_name": "Fast",
            "usage": float(sum(line.usd for line in found)),
            "byok_usage_inference": 0.5,
            "requests": sum(line.requests for line in found),
            "prompt_tokens": sum(line.input for line in found),
            "completion_tokens": sum(line.output for line in found),
            "reasoning_tokens": 0,
            "cached_tokens": 0,
        }

    def route(asked: Asked) -> Any:
        if asked.path.endswith("/keys"):
            offset = int(asked.one("offset") or 0)
            keys = [{"hash": id_, "name": name, "label": "sk-or-…"} for id_, name in KEYS.items()]
            return {"data": keys[offset:]}
        day, key = asked.one("date") or "", None if ignores_keys else asked.one("api_key_hash")
        found = [line for line in lines if line.day.isoformat() == day and key in (None, line.key)]
        models = sorted({line.model for line in found} - ({MODELS[-1]} if key else set()))
        data = [item(day, model, [line for line in found if line.model == model]) for model in models]
        if key:
            data = [{**each, "byok_usage_inference": 0} for each in data]
        return {"data": data}

    return route


def together(lines: list[Line], a_page: int = 7) -> Callable[[Asked], Any]:
    """Answer as api.together.ai does."""

    def route(asked: Asked) -> Any:
        month = asked.one("month") or ""
        days = sorted({line.day for line in lines if line.day.isoformat().startswith(month)})
        skipped = int(asked.one("after") or 0)
        data = [
            {
                "date": day.isoformat(),
                "start_time": stamp(day),
                "end_time": stamp(day + DAY),
                "line_items": [
                    {
                        "product_name": line.model,
                        "quantity": str(line.input),
                        "unit": "tokens",
                        "unit_price": "0.1",
                        "cost": str(line.usd),
                        "attributes": {"model": line.model},
                        "applied_credit": "0.25",
                    }
                    for line in lines
                    if line.day == day
                ],
            }
            for day in days[skipped : skipped + a_page]
        ]
        more = skipped + a_page < len(days)
        return {"data": data, "next_cursor": str(skipped + a_page) if more else None}

    return route


def deepgram(lines: list[Line]) -> Callable[[Asked], Any]:
    """Answer as api.deepgram.com does."""

    def route(asked: Asked) -> Any:
        if asked.path.endswith("/projects"):
            return {"projects": [{"project_id": "p1", "name": "shop"}]}
        start, end = asked.one("start") or "", asked.one("end") or ""
        results = [
            {
                "dollars": float(line.usd),
                "grouping": {
                    "start": start, "end": end, "accessor": line.key, "deployment": "hosted",
                    "line_item": f"streaming::{line.model}", "tags": None,
                },
            }
            for line in lines
            if start <= line.day.isoformat() <= end
        ]  # fmt: skip
        return {"start": start, "end": end, "resolution": {"units": "day", "amount": 1}, "results": results}

    return route


def twilio(lines: list[Line], a_page: int = 4) -> Callable[[Asked], Any]:
    """Answer as api.twilio.com does: categories, one of which is the total of the others."""

    def record(day: date, category: str, usd: Decimal) -> dict[str, Any]:
        return {
            "category": category, "count": "3", "usage": "3", "usage_unit": "messages", "price": str(usd),
            "price_unit": "usd", "as_of": f"{day.isoformat()}T10:00:00+00:00", "start_date": day.isoformat(),
            "end_date": day.isoformat(), "account_sid": "AC1", "description": category,
        }  # fmt: skip

    def route(asked: Asked) -> Any:
        start, end = asked.one("StartDate") or "", asked.one("EndDate") or ""
        records = []
        for day in sorted({line.day for line in lines if start <= line.day.isoformat() <= end}):
            total = sum((line.usd for line in lines if line.day == day), Decimal())
            records += [
                record(day, "sms", total),
                record(day, "sms-outbound", total),
                record(day, "totalprice", total),
            ]
        skipped = int(asked.one("Page") or 0)
        following = (
            f"{asked.path}?StartDate={start}&EndDate={end}&PageSize=1000&Page={skipped + a_page}&PageToken=x"
        )
        more = skipped + a_page < len(records)
        return {
            "usage_records": records[skipped : skipped + a_page], "page": skipped, "page_size": 1000,
            "next_page_uri": following if more else None, "uri": asked.path, "start": 0, "end": 0,
            "first_page_uri": asked.path, "previous_page_uri": None,
        }  # fmt: skip

    return route


def xai(lines: list[Line], *, limit_reached: bool = False) -> Callable[[Asked], Any]:
    """Answer as management-api.x.ai does."""

    def route(asked: Asked) -> Any:
        span = asked.body["analyticsRequest"]["timeRange"]
        days = sorted(
            {
                line.day
                for line in lines
                if span["startTime"][:10] <= line.day.isoformat() < span["endTime"][:10]
            }
        )
        points = [
            {"timestamp": stamp(day), "values": [float(sum(x.usd for x in lines if x.day == day))]}
            for day in days
        ]
        return {"timeSeries": [{"dataPoints": points}], "limitReached": limit_reached}

    return route
