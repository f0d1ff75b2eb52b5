"""recost as an application of a Django project: management commands are recorded."""

from __future__ import annotations

from functools import wraps
from typing import Any, Final

from django.apps import AppConfig
from django.core.management.base import BaseCommand

from recost.config import Settings
from recost.frameworks import serving
from recost.frameworks.django import project_settings

__all__ = ["RecostApp"]

_SERVERS: Final = ("runserver", "testserver")
"""Commands, of Django and of others, that serve, or watch a process that does: the middleware is for them."""


class RecostApp(AppConfig):  # type: ignore[misc, unused-ignore]
    """An app that runs recost in each process that executes a management command of the project.

    Nothing is started where the project is only loaded, as in the parent of a server's workers, nor for
    Django's own commands.

    Raises:
        ValueError: A setting is not valid. It is raised when the project is loaded.
    """

    name = "recost.frameworks.django"
    label = "recost"
    verbose_name = "recost"

    def ready(self) -> None:
        """Record commands from now on."""
        settings, _ = project_settings()
        if settings.enabled:
            _start_for_commands(settings)


def _start_for_commands(settings: Settings) -> None:
    """Start the SDK when a command is executed, by ``manage.py`` or by ``call_command``.

    The class is patched once in a process: `django.setup` calls `RecostApp.ready` once.
    """
    execute = BaseCommand.execute

    @wraps(execute)
    def start_and_execute(self: BaseCommand, *args: Any, **options: Any) -> Any:
        if _is_recorded(type(self)):
            serving.join(settings)
        return execute(self, *args, **options)

    BaseCommand.execute = start_and_execute


def _is_recorded(command: type) -> bool:
    module = command.__module__
    return module.partition(".")[0] != "django" and not module.rpartition(".")[2].startswith(_SERVERS)
