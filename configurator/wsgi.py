"""The WSGI application. The options have to be set before this is imported."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "configurator.settings")
application = get_wsgi_application()
