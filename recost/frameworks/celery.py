"""Integration of Celery.

    recost.frameworks.celery.install(project_id="shop")

in the module that makes the Celery application.
"""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import Any, Final, NamedTuple, Optional

from recost.config import RecostConfig, resolve
from recost.frameworks import serving
from recost.frameworks.tagging import TagFunction, Tagging, leave
from recost.interceptors.context import EMPTY, CostScope
from recost.interceptors.context import cost_scope as current_scope
from recost.lifecycle import current_handle

try:
    from celery import Celery, signals
except ModuleNotFoundError as error:
    if error.name != "celery":
        raise
    raise ImportError(
        'recost.frameworks.celery needs Celery, which is not installed: pip install "recost[celery]"'
    ) from error

__all__ = ["install"]

_MAX_NAME: Final = 200


def install(
    app: Optional[Celery] = None,
    config: Optional[RecostConfig] = None,
    *,
    tag_tasks: bool = True,
    tags: Optional[TagFunction] = None,
    **options: Any,
) -> None:
    """Run recost in each process that executes tasks, and tag their calls with the task's name.

    A worker's children start it themselves, and flush when they end: they leave without exit hooks. Nothing
    is started where tasks are only sent, or executed eagerly. The settings of the latest call apply.

    Args:
        app: Record this application's tasks only (default: every application's).
        config: Settings, as for `recost.init`.
        tag_tasks: Whether to tag calls with the task's name.
        tags: Adds tags of your own. It is called with the task, whose ``request`` has the headers.
        **options: The settings by name.

    Raises:
        ValueError: A setting is not valid.
    """
    settings = resolve(config, options)
    tagging = Tagging(tag_tasks, tags, "tag_tasks")
    hooks = _Hooks(app, settings, tagging if tagging.active and settings.enabled else None)
    for signal, receiver in (
        (signals.worker_process_init, hooks.process_begins),
        (signals.worker_process_shutdown, hooks.process_ends),
        (signals.worker_shutdown, hooks.process_ends),
        (signals.task_prerun, hooks.task_begins),
        (signals.task_postrun, hooks.task_ends),
    ):
        identity = f"recost-{receiver.__name__}-{id(app)}"
        signal.disconnect(dispatch_uid=identity)
        signal.connect(receiver, weak=False, dispatch_uid=identity)


class _Running(NamedTuple):
    """A task that is being executed. Eager ones run inside others."""

    task_id: str
    token: Token[Optional[CostScope]]
    outer: Optional[_Running]


_running: Final[ContextVar[Optional[_Running]]] = ContextVar("recost_celery_task", default=None)


class _Hooks:
    """Handlers of Celery's signals."""

    def __init__(self, app: Optional[Celery], settings: Any, tagging: Optional[Tagging]) -> None:
        self._app = app
        self._settings = settings
        self._tagging = tagging
        self._epoch = -1

    def process_begins(self, **_: Any) -> None:
        """Start in a child that will execute tasks. The pools without children start at the first task."""
        self._epoch = serving.join(self._settings)

    def process_ends(self, **_: Any) -> None:
        """Flush, because a child ends by ``os._exit``."""
        handle = current_handle()
        if handle is not None:
            handle.flush_blocking(self._settings.shutdown_flush_timeout_ms / 1000)

    def task_begins(self, task: Any = None, task_id: str = "", **_: Any) -> None:
        """Begin to tag calls with the task."""
        if task is None or (self._app is not None and task.app is not self._app):
            return
        if self._epoch != serving.epoch and not task.request.is_eager:
            self._epoch = serving.join(self._settings)
        if self._tagging is None:
            return
        found: dict[str, Optional[str]] = {"task": str(task.name)[:_MAX_NAME]} if self._tagging.on else {}
        outer = current_scope.get()
        found.update(self._tagging.own(task, outer))
        token = current_scope.set((outer or EMPTY).with_tags(found))
        _running.set(_Running(task_id, token, _running.get()))

    def task_ends(self, task_id: str = "", **_: Any) -> None:
        """Stop tagging calls with the task."""
        running = _running.get()
        if running is not None and running.task_id == task_id:
            _running.set(running.outer)
            leave(running.token)
