"""PyGithub: users, repositories, issues, searches, release files; it has urllib3 try again.

It has no asynchronous client, and reads every answer to its end.
"""

from __future__ import annotations

import json
import tempfile
from importlib import import_module
from typing import Any

from tests.integration.named_hosts import Answer, Asked
from tests.integration.sdks import on_threads, refuses

PACKAGE = "github"
DISTRIBUTION = "PyGithub"
REQUIRES = ("PyGithub>=2.2",)
TRANSPORT = "urllib3 (requests)"
_API, _UPLOADS, _OBJECTS = "api.github.com", "uploads.github.com", "release-assets.githubusercontent.com"
HOSTS = (_API, _UPLOADS, _OBJECTS)
EXPECTED = {
    ("github", "users", "GET"): (43, 1),
    ("github", "repos", "GET"): (7, 1),
    ("github", "repos", "POST"): (2, 0),
    ("github", "search", "GET"): (2, 0),
    ("unknown", "/repos/octo/hello/releases/{id}/assets", "POST"): (1, 0),
    ("unknown", "/github-production-release-asset/{id}", "GET"): (1, 0),
}
LEFT: dict[tuple[str, str, str], set[str]] = {}

_REPOS = f"https://{_API}/repos/octo/hello"
_FILE = b"0123456789" * 3000


def _found(asked: Asked) -> dict[str, Any]:
    parts = asked.path.strip("/").split("/")
    if parts[0] == "users":
        return {"login": parts[1], "id": 1, "url": f"https://{_API}{asked.path}"}
    if parts[-1] == "issues":
        return {"number": 7, "title": json.loads(asked.body)["title"], "url": f"{_REPOS}/issues/7"}
    if "assets" in parts:
        return {"id": 5, "name": "a.bin", "url": f"{_REPOS}/releases/assets/5"}
    if "releases" in parts:
        upload = f"https://{_UPLOADS}/repos/octo/hello/releases/3/assets{{?name,label}}"
        return {"id": 3, "tag_name": "v1", "url": f"{_REPOS}/releases/3", "upload_url": upload}
    return {"id": 2, "name": "hello", "full_name": "octo/hello", "url": _REPOS}


def _search(asked: Asked) -> Answer:
    page = int(asked.query.get("page", "1"))
    following = f'<https://{_API}/search/repositories?q=hello&page=2>; rel="next"'
    items = [{"id": page, "full_name": f"octo/hello-{page}", "url": _REPOS}]
    body = json.dumps({"total_count": 2, "items": items}).encode()
    return Answer(body, headers={"Link": following} if page == 1 else {})


def answer(asked: Asked) -> Answer:
    """Speak like api.github.com, uploads.github.com and the store of release files."""
    if asked.host == _OBJECTS:
        return Answer(_FILE, content_type="application/octet-stream")
    if asked.path == "/search/repositories":
        return _search(asked)
    if asked.path == "/users/stall":
        return Answer(stall=True)
    if asked.path.endswith("/missing"):
        return Answer(b'{"message": "Not Found"}', 404)
    if asked.path.endswith("/assets/5") and asked.headers.get("accept") == "application/octet-stream":
        store = f"https://{_OBJECTS}/github-production-release-asset/5?sig=s"
        return Answer(b"", 302, headers={"Location": store})
    name = asked.path.rpartition("/")[2]
    if name == "issues":
        name = json.loads(asked.body)["title"]
    if asked.repeats % 2 == 0 and name in {"busy", "limited", "broken"}:
        status = {"busy": 429, "limited": 403, "broken": 500}[name]
        headers = {} if status == 500 else {"Retry-After": "0"}
        return Answer(b'{"message": "You have exceeded a secondary rate limit."}', status, headers=headers)
    return Answer(json.dumps(_found(asked)).encode(), 201 if asked.method == "POST" else 200)


def _use_releases(repo: Any) -> None:
    release = repo.get_release("v1")
    with tempfile.NamedTemporaryFile(suffix=".bin") as file:
        file.write(_FILE)
        file.flush()
        assert release.upload_asset(file.name).id == 5
    _, _, pieces = repo.get_release_asset(5).download_asset(chunk_size=1000)
    assert b"".join(pieces) == _FILE


def use() -> None:
    """Make every call."""
    github: Any = import_module("github")
    timed_out: Any = import_module("requests").ConnectionError
    auth = github.Auth.Token("ghp_test")
    options = {"auth": auth, "seconds_between_requests": None, "seconds_between_writes": None}
    client = github.Github(retry=github.GithubRetry(total=3, backoff_factor=0), **options)
    assert client.get_user("octocat").login == "octocat"
    # Two attempts of one call, each.
    for name in ("busy", "limited"):
        assert client.get_repo(f"octo/{name}").name == "hello"
    assert client.get_user("broken").login == "broken"
    repo = client.get_repo("octo/hello")
    assert repo.create_issue("a title").number == 7
    assert repo.create_issue("broken").title == "broken"
    refuses(lambda: client.get_repo("octo/missing"), github.UnknownObjectException)
    found = [repo.full_name for repo in client.search_repositories("hello")]
    assert found == ["octo/hello-1", "octo/hello-2"]
    _use_releases(repo)
    # One request is all that its connection remembers: threads must ask for the same.
    on_threads(lambda: client.get_user("octocat").login)
    client.close()
    hasty = github.Github(retry=1, timeout=1, **options)
    refuses(lambda: hasty.get_user("stall"), timed_out)  # at the second attempt
    hasty.close()
