"""Django's asgi.py, with recost."""

from django.core.asgi import get_asgi_application

import tests.integration.runtimes.django_site  # noqa: F401 - in place of DJANGO_SETTINGS_MODULE
from recost.frameworks.fastapi import RecostMiddleware

application = RecostMiddleware(get_asgi_application())
