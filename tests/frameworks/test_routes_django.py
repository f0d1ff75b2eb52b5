"""Each outbound call is tagged with the route that it is made for: Django, by WSGI and ASGI."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.frameworks.serving import ask, ask_all, attributed, served, tags
from tests.loopback import Loopback
from tests.scripts import environment, run_script

pytest.importorskip("django", reason="Django is not installed")

ROUTES = [
    ("/", "/", "sync", 1),
    ("/sync/s-canary/", "/sync/<slug:item>/", "sync", 1),
    ("/async/a-canary/", "/async/<slug:item>/", "async", 2),
    ("/years/1789/", "/years/(?P<year>[0-9]{4})/$", "sync", 1),
    ("/v1/t-canary/orders/7/", "/v1/<slug:tenant>/orders/<int:order_id>/", "order", 1),
    ("/stream/x-canary/", "/stream/<slug:item>/", "stream", 2),
    ("/async-stream/y-canary/", "/async-stream/<slug:item>/", "async-stream", 2),
]


@contextmanager
def django_serving(kind: str, folder: Path, upstream: str, **settings: Any) -> Iterator[int]:
    env = environment(
        UPSTREAM=upstream, RECOST_SETTINGS=json.dumps({"local_dir": str(folder / "telemetry"), **settings})
    )
    with (folder / "stderr").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.frameworks.django_server", kind],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )
    assert process.stdout is not None
    port = process.stdout.readline()
    assert port, (folder / "stderr").read_text()
    try:
        yield int(port)
    finally:
        process.communicate(timeout=60)
    assert process.returncode == 0, (folder / "stderr").read_text()


@pytest.mark.parametrize("kind", ["wsgi", "asgi", "asgi-wrapped"])
def test_every_kind_of_view_under_load(kind: str, server: Loopback, tmp_path: Path) -> None:
    # A stream of the other kind is made up beforehand, where Django puts it: served the one way only.
    routes = [route for route in ROUTES if kind != "wsgi" or route[2] != "async-stream"]
    times = 8
    project = "tests.frameworks.django_project"
    with django_serving(kind, tmp_path, server.url, tags=f"{project}.tenant") as port:
        requests = [
            ("GET", path, {"x_tenant": tenant} if tenant else {})
            for path, *_ in routes
            for tenant in ("acme", "globex", "")
        ]
        ask_all(port, requests * times)
        assert b"urlpatterns" in ask(port, "/file/")
        assert b" 404 " in ask(port, "/nowhere-canary/").partition(b"\r\n")[0]
    found = attributed(tmp_path / "telemetry")
    before = found.pop("/before")
    wanted: dict[str, dict[Any, int]] = {}
    for _, route, name, calls in routes:
        for tenant in ("acme", "globex", ""):
            own = {"tenant": tenant} if tenant else {}
            extra = {"feature": "orders"} if name == "order" else {}
            key = tags(route=route, method="GET", **own, **extra)
            wanted.setdefault("/" + name, {})[key] = calls * times
    assert found == wanted
    count = len(routes) * times
    assert before == {
        tags(method="GET", tenant="acme"): count,
        tags(method="GET", tenant="globex"): count,
        tags(method="GET"): count + 2,
    }
    assert sum(sum(each.values()) for each in found.values()) + sum(before.values()) == sum(
        served(server).values()
    )
    assert not any("canary" in path.read_text() for path in (tmp_path / "telemetry").iterdir())


def test_off(server: Loopback, tmp_path: Path) -> None:
    for kind in ("wsgi", "asgi"):
        with django_serving(kind, tmp_path, server.url, tag_routes=False) as port:
            ask_all(port, [("GET", "/sync/1/", {}), ("GET", "/async/1/", {})])
    assert attributed(tmp_path / "telemetry") == {
        "/before": {None: 4},
        "/sync": {None: 2},
        "/async": {None: 4},
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("[1]", "recost: RECOST: got a list, expected a dict of settings"),
        ('{"max_retries": -1}', "recost: max_retries: got -1"),
        ('{"api_kye": "x"}', "did you mean 'api_key'"),
        ('{"tag_routes": "no"}', "recost: tag_routes: got 'no', expected True or False"),
    ],
)
def test_bad_settings_are_refused_when_the_project_is_loaded(given: str, message: str) -> None:
    result = run_script(
        """
        import os
        os.environ["DJANGO_SETTINGS_MODULE"] = "tests.frameworks.django_project"
        from django.core.wsgi import get_wsgi_application
        get_wsgi_application()
        """,
        env=environment(RECOST_SETTINGS=given),
    )
    assert message in result.stderr
    assert "ValueError" in result.stderr


def test_without_django_the_error_has_the_command() -> None:
    result = run_script(
        """
        import sys
        sys.modules["django"] = None
        try:
            import recost.frameworks.django
        except ImportError as error:
            print(error)
        """
    )
    assert result.stdout.strip() == (
        'recost.frameworks.django needs Django, which is not installed: pip install "recost[django]"'
    )
