"""Flask.

    RecostExtension(app, project_id="shop")

or, with an application factory, ``recost = RecostExtension()`` and ``recost.init_app(app)``.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Optional

from recost.config import RecostConfig, Settings, explicit, overlay, resolve, variable
from recost.frameworks import serving
from recost.lifecycle import RecostHandle, current_handle

try:
    from flask import Flask
except ModuleNotFoundError as error:
    if error.name != "flask":
        raise
    raise ImportError(
        'recost.frameworks.flask needs Flask, which is not installed: pip install "recost[flask]"'
    ) from error

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["ReCost", "RecostExtension"]


class RecostExtension:
    """Runs recost in each process that serves the application, from its first request on.

    So neither the parent of Gunicorn's workers nor the one of Werkzeug's reloader runs it. Several
    applications in one process share one running SDK, which flushes when the process ends. Settings not given
    here are looked for in ``app.config`` (``RECOST_PROJECT_ID`` …), then in the environment.

    Args:
        app: The application; left out in the factory pattern.
        config: Settings, as for `recost.init`, for every application.
        **options: The same by name.

    Raises:
        ValueError: A setting is not valid.
    """

    def __init__(
        self, app: Optional[Flask] = None, config: Optional[RecostConfig] = None, **options: Any
    ) -> None:
        self._given = explicit(config, options)
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask, config: Optional[RecostConfig] = None, **options: Any) -> None:
        """Prepare an application; what is given here wins over what the extension was made with.

        Raises:
            ValueError: A setting is not valid.
        """
        in_app = {setting.name: app.config.get(variable(setting.name)) for setting in fields(RecostConfig)}
        settings = resolve(None, overlay(in_app, self._given, explicit(config, options)))
        # Around the application, so that it comes before every hook that could call somebody.
        app.wsgi_app = _Starter(app.wsgi_app, settings)  # type: ignore[method-assign]
        app.extensions["recost"] = self

    @property
    def handle(self) -> Optional[RecostHandle]:
        """The running SDK of this process; None before the first request."""
        return current_handle()


class _Starter:
    """Starts the SDK when the first request of a process comes."""

    def __init__(self, wsgi_app: WSGIApplication, settings: Settings) -> None:
        self._wsgi_app = wsgi_app
        self._settings = settings
        self._epoch = -1

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if self._epoch != serving.epoch:
            self._epoch = serving.join(self._settings)
        return self._wsgi_app(environ, start_response)


class ReCost(RecostExtension):
    """The name of `RecostExtension` in recost 0.1.x; deprecated."""

    def __init__(
        self, app: Optional[Flask] = None, config: Optional[RecostConfig] = None, **options: Any
    ) -> None:
        warnings.warn(
            "recost.frameworks.flask.ReCost is now named RecostExtension", DeprecationWarning, stacklevel=2
        )
        super().__init__(app, config, **options)
