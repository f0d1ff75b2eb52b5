"""Serves the project by WSGI or ASGI until stdin ends, then flushes; prints its port."""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.frameworks.django_project"
django.setup()

from django.core.asgi import get_asgi_application  # noqa: E402 - Django wants its settings first
from django.core.wsgi import get_wsgi_application  # noqa: E402

from recost.frameworks import serving  # noqa: E402
from recost.frameworks.fastapi import RecostMiddleware  # noqa: E402
from tests.frameworks.serving import asgi_serving, wsgi_serving  # noqa: E402


def main(kind: str) -> None:
    app: Any
    if kind == "wsgi":
        app, serve = get_wsgi_application(), wsgi_serving
    else:
        app, serve = get_asgi_application(), asgi_serving
    if kind == "asgi-wrapped":
        app = RecostMiddleware(app, **app_options())
    with serve(app) if kind in ("wsgi", "asgi-wrapped") else asgi_serving(app, "off") as port:
        print(port, flush=True)
        sys.stdin.read()
    serving.end()
    assert threading.active_count() < 50


def app_options() -> dict[str, Any]:
    from django.conf import settings

    return {name: value for name, value in settings.RECOST.items() if name not in ("tags", "tag_routes")}


if __name__ == "__main__":
    main(sys.argv[1])
