from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recost.endpoints import templating
from recost.endpoints.segments import template_segment
from recost.endpoints.templating import template, template_for

TWILIO = "/2010-04-01/Accounts/AC0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("", "/"),
        ("/", "/"),
        ("/v1/chat/completions", "/v1/chat/completions"),
        ("/v1/customers/cus_NffrFeUfNV2Hib", "/v1/customers/{id}"),
        ("/v1/customers/cus_NffrFeUfNV2Hib/sources?expand=x", "/v1/customers/{id}/sources"),
        ("/v1/models/", "/v1/models/"),
        ("//v1//x", "//v1//x"),
        (f"{TWILIO}/Messages.json", "/2010-04-01/Accounts/{id}/Messages.json"),
        (
            f"{TWILIO}/Messages/SM0123456789abcdef0123456789abcdef.json",
            "/2010-04-01/Accounts/{id}/Messages/{id}.json",
        ),
        ("/v1/reports/2024-01-02", "/v1/reports/{id}"),
        ("/bot123456:ABC-DEF/sendMessage", "/bot{id}/sendMessage"),
        ("/file/bot123456:ABC-DEF/photos/file_1.jpg", "/file/bot{id}/photos/{id}.jpg"),
        ("/services/T000/B000/XXXX", "/services/{id}/{id}/{id}"),
        ("/services/T024BE7LD/B024BE7LE/abcdefgh/more", "/services/{id}/{id}/{id}/{id}"),
        ("/workflows/T0/A0/1/secretword", "/workflows/{id}/{id}/{id}/{id}"),
        ("/services/search", "/services/search"),
        ("/api/webhooks/123/abcdefgh", "/api/webhooks/{id}/{id}"),
        ("/api/webhooks/123/abcdefgh/slack", "/api/webhooks/{id}/{id}/slack"),
        ("/v1/webhooks", "/v1/webhooks"),
        ("/reset/password/hunter", "/reset/password/{id}"),
        ("/users//jane/settings", "/users//{id}/settings"),
        ("/users/v2/jane", "/users/v2/{id}"),
        ("/users/search/janedoe", "/users/search/{id}"),
        ("/users:jane", "/users:{id}"),
        ("/users;v=1/janedoe", "/users;{id}/{id}"),
        ("/repos/acme/website/commits", "/repos/{id}/{id}/commits"),
        ("/token/refresh", "/token/refresh"),
        ("/users/@me/guilds", "/users/@me/guilds"),
        ("/v1/documents/abc:run", "/v1/documents/{id}:run"),
        ("/export/tenant_acme", "/export/{id}"),
        ("/x/token-sk_live_abc", "/x/{id}"),
        ("/rest/api/2/issue", "/rest/api/2/issue"),
        ("/2/tweets", "/2/tweets"),
        ("/20200301/gateways/20200301", "/20200301/gateways/{id}"),
        ("/sms/3/reports", "/sms/3/reports"),
        ("/shop.v1.Weaviate/BatchDelete", "/shop.v1.Weaviate/BatchDelete"),
        ("/ticker/24hr", "/ticker/24hr"),
        ("/agent-studio/1/agents", "/agent-studio/1/agents"),
        ("/product/3/reviews", "/product/{id}/reviews"),
        ("/users/3/reviews", "/users/{id}/reviews"),
        ("/users/by-slug/portfolio", "/users/by-slug/{id}"),
        ("/amazonclouddirectory/2017-01-11/object", "/amazonclouddirectory/2017-01-11/object"),
        ("/v1/models/gpt-4o-mini", "/v1/models/gpt-4o-mini"),
        ("/v1/files/gpt-4o-mini-42", "/v1/files/{id}"),
        ("/v1/AUTH_acme/photos/jane", "/v1/{id}/{bucket}/{key}"),
        ("/oauth/Token/abc", "/oauth/Token/{id}"),
        ("/oauth2/v4/token", "/oauth2/v4/token"),
        ("/api.xro/2.0/Invoices", "/api.xro/2.0/Invoices"),
        ("/G2W/rest/organizers", "/G2W/rest/organizers"),
        ("/qdrant.Collections/List", "/qdrant.Collections/List"),
        ("/jane.Doe/List", "/{id}/List"),
        ("/providers/Microsoft.Sql/servers/jane", "/providers/Microsoft.Sql/servers/{id}"),
        ("/providers/acme/x", "/providers/{id}/x"),
        ("/apis/janedoe/tags", "/apis/{id}/tags"),
        ("/users/marketplaces/jdoe", "/users/marketplaces/{id}"),
        ("/tenants/global-systems", "/tenants/{id}"),
        ("/entities/webhooknotificationfeedback", "/entities/webhooknotificationfeedback"),
        ("/invite/token/", "/invite/token/"),
        ("/users/jane@example.com", "/users/{id}"),
        ("*", "/{id}"),
        ("x/1", "/x/{id}"),
        ("/a/b/c/d/e/f/g/h/i/j/k/l", "/a/b/c/d/e/f/g/h/i/j/k/l"),
        ("/a/b/c/d/e/f/g/h/i/j/k/l/", "/a/b/c/d/e/f/g/h/i/j/k/l/"),
        ("/a/b/c/d/e/f/g/h/i/j/k/l/m/n", "/a/b/c/d/e/f/g/h/i/j/k/l/{rest}"),
        ("/" + "x" * 10_000, "/{id}"),
        ("/" + "9" * 300 + "/x", "/{id}/x"),
        ("/é/\ud800", "/{id}/{id}"),
    ],
)
def test_paths(path: str, wanted: str) -> None:
    assert template(path) == wanted
    assert template(wanted) == wanted


def test_long_paths_are_cut_between_segments() -> None:
    found = template("/some_long_name_of_a_collection" * 10)
    assert found == "/some_long_name_of_a_collection" * 8 + "/{rest}"
    assert len(found) <= 256
    assert template(found) == found


SEGMENTS = st.text(max_size=20) | st.sampled_from(
    [
        "v1",
        "users",
        "services",
        "T0",
        "webhooks",
        "token",
        "{id}",
        "{rest}",
        "bot1:x",
        "2024-01-02",
        "a" * 60,
        "1:1:1:1",
    ]
)
PATHS = st.lists(SEGMENTS, max_size=16).map(lambda segments: "/" + "/".join(segments)) | st.text()
HOSTS = st.sampled_from(
    [
        "api.example.com",
        "s3.amazonaws.com",
        "b.s3.us-east-1.amazonaws.com",
        "storage.googleapis.com",
        "www.googleapis.com",
        "b.storage.googleapis.com",
        "a.blob.core.windows.net",
    ]
)


@given(PATHS, HOSTS)
def test_any_path_comes_to_rest_after_one_pass(path: str, host: str) -> None:
    found = template(path)
    assert template(found) == found
    assert found.startswith("/")
    assert len(found) <= 256
    assert found.count("/") <= 13
    found = template_for(host, path)
    assert template_for(host, found) == found
    assert len(found) <= 256


@given(
    st.uuids().map(str) | st.integers(min_value=0).map(str),
    st.lists(st.sampled_from(["v1", "users", "a", "services", "token"]), max_size=14),
    st.integers(0, 14),
    HOSTS,
)
def test_no_identifier_survives_anywhere(identifier: str, segments: list[str], place: int, host: str) -> None:
    segments.insert(place, f"id-{identifier}")
    path = "/" + "/".join(segments)
    assert f"id-{identifier}" not in template(path)
    assert f"id-{identifier}" not in template_for(host, path)


@pytest.mark.parametrize(
    ("host", "path", "wanted"),
    [
        ("s3.amazonaws.com", "/", "/"),
        ("s3.us-east-1.amazonaws.com", "/photos", "/{bucket}"),
        ("s3.us-east-1.amazonaws.com", "/photos/", "/{bucket}"),
        ("S3.us-east-1.amazonaws.com.", "/photos/jane/me.jpg", "/{bucket}/{key}"),
        ("s3-us-west-2.amazonaws.com", "/photos/me.jpg?x=1", "/{bucket}/{key}"),
        ("s3.dualstack.eu-west-1.amazonaws.com", "/photos/me", "/{bucket}/{key}"),
        ("s3.cn-north-1.amazonaws.com.cn", "/photos/me", "/{bucket}/{key}"),
        ("photos.s3.us-east-1.amazonaws.com", "/jane/me.jpg", "/{key}"),
        ("photos.s3.us-east-1.amazonaws.com", "/", "/"),
        ("s3-photos.s3-us-west-2.amazonaws.com", "/me", "/{key}"),
        ("my.photos.s3.amazonaws.com", "/me", "/{key}"),
        ("b--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com", "/me", "/{key}"),
        ("sqs.us-east-1.amazonaws.com", "/123456789012/queue", "/{id}/queue"),
        ("storage.googleapis.com", "/photos/me.jpg", "/{bucket}/{object}"),
        ("storage.googleapis.com", "/photos", "/{bucket}"),
        ("storage.googleapis.com", "/storage/v1/b", "/storage/v1/b"),
        ("storage.googleapis.com", "/storage/v1/b/photos", "/storage/v1/b/{bucket}"),
        ("storage.googleapis.com", "/storage/v1/b/photos/o", "/storage/v1/b/{bucket}/o"),
        ("storage.googleapis.com", "/storage/v1/b/photos/o/a%2Fb", "/storage/v1/b/{bucket}/o/{object}"),
        ("storage.googleapis.com", "/storage/v1/b/photos/iam", "/storage/v1/b/{bucket}/iam"),
        ("storage.googleapis.com", "/upload/storage/v1/b/photos/o", "/upload/storage/v1/b/{bucket}/o"),
        (
            "storage.googleapis.com",
            "/download/storage/v1/b/photos/o/me",
            "/download/storage/v1/b/{bucket}/o/{object}",
        ),
        (
            "storage.googleapis.com",
            "/resumable/upload/storage/v1/b/photos/o",
            "/resumable/upload/storage/v1/b/{bucket}/o",
        ),
        (
            "storage.googleapis.com",
            "/storage/v1/b/p/o/me/rewriteTo/b/q/o/you",
            "/storage/v1/b/{bucket}/o/{object}/rewriteTo",
        ),
        (
            "storage.googleapis.com",
            "/storage/v1/projects/acme/hmacKeys",
            "/storage/v1/projects/{id}/hmacKeys",
        ),
        ("www.googleapis.com", "/storage/v1/b/photos/o/me", "/storage/v1/b/{bucket}/o/{object}"),
        ("www.googleapis.com", "/customsearch/v1", "/customsearch/v1"),
        ("firebasestorage.googleapis.com", "/v0/b/photos/o/me", "/v0/b/{bucket}/o/{object}"),
        ("photos.storage.googleapis.com", "/me.jpg", "/{key}"),
        ("oss-cn-hangzhou.aliyuncs.com", "/photos/jane", "/{bucket}/{key}"),
        ("photos.cos.ap-guangzhou.myqcloud.com", "/jane", "/{key}"),
        ("obs.cn-north-4.myhuaweicloud.com", "/photos/jane", "/{bucket}/{key}"),
        ("storage.yandexcloud.net", "/photos/jane", "/{bucket}/{key}"),
        ("pub-1a.r2.dev", "/jane", "/{key}"),
        ("account.blob.core.windows.net", "/photos/me.jpg", "/{bucket}/{key}"),
        ("account.r2.cloudflarestorage.com", "/photos/me", "/{bucket}/{key}"),
        ("photos.account.r2.cloudflarestorage.com", "/me", "/{key}"),
        ("photos.nyc3.digitaloceanspaces.com", "/me", "/{key}"),
        ("api.example.com", "/photos/me", "/photos/me"),
        ("", "/v1/7", "/v1/{id}"),
        ("amazonaws.com", "/v1/7", "/v1/{id}"),
    ],
)
def test_object_stores(host: str, path: str, wanted: str) -> None:
    assert template_for(host, path) == wanted
    assert template_for(host, wanted) == wanted


def lines_run_for(path: str) -> int:
    """Lines of Python that run, which no load on the machine changes."""
    lines = 0
    template_segment.cache_clear()

    def trace(frame: Any, event: str, arg: Any) -> Any:
        nonlocal lines
        if not frame.f_globals.get("__name__", "").startswith("recost.endpoints"):
            return None  # a finalizer that the garbage collector happens to run in between
        lines += event == "line"
        return trace

    previous = sys.gettrace()
    sys.settrace(trace)
    try:
        template(path)
    finally:
        sys.settrace(previous)
    return lines


@pytest.mark.parametrize("piece", ["/", "/a1", "/%41", "a-", ":1", "%", "/services", "a1-"])
def test_a_path_of_10_kilobytes_takes_no_more_than_a_long_one(piece: str) -> None:
    # In proportion to the length it would be 2.5 times; what is remembered or not makes a few lines.
    longest, long = (
        lines_run_for(piece * (10_000 // len(piece))),
        lines_run_for(piece * (4_000 // len(piece))),
    )
    assert longest <= 1.5 * long


def test_what_is_remembered_is_bounded() -> None:
    for number in range(3000):
        template(f"/x/{number}")
        template_for(f"h{number}.example", "/")
        template(f"/{number}/x")
    assert 0 < len(templating._templates) <= 1024
    assert templating._layout.cache_info().currsize <= 512
    known = list(templating._templates)
    template("/x" * 1000)
    assert list(templating._templates) == known, "long paths are not kept"
