"""Django's wsgi.py, with recost."""

from django.core.wsgi import get_wsgi_application

import recost
import tests.integration.runtimes.django_site  # noqa: F401 - in place of DJANGO_SETTINGS_MODULE

recost.init()
application = get_wsgi_application()
