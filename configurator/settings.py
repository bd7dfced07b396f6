"""Django's settings, made from the options of the command line."""

from __future__ import annotations

import importlib.util
import os
import socket
import zoneinfo
from pathlib import Path

from configurator import mail_settings, options
from configurator.openid import openid_settings

_options = options.current_options()


def _time_zone() -> str:
    """The machine's own: TZ, or what /etc/localtime leads to, or UTC."""
    named = (
        os.environ.get("TZ", "").lstrip(":")
        or str(Path("/etc/localtime").resolve()).partition("zoneinfo/")[2]
    )
    try:
        return zoneinfo.ZoneInfo(named).key if named else "UTC"
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return "UTC"


_HERE = Path(__file__).resolve().parent

SECRET_KEY = _options.secret_key()
DEBUG = False
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", socket.gethostname(), socket.getfqdn(), *_options.hosts]

INSTALLED_APPS = [
    "configurator.apps.ConfiguratorApp",
    "django_htmx",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "configurator.web.middleware.MemoryGivenBack",
    "django.middleware.security.SecurityMiddleware",
    "configurator.web.middleware.ContentSecurity",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "configurator.web.middleware.Sessions",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "configurator.web.middleware.SessionEnd",
    "configurator.web.middleware.UserLanguage",
    "configurator.web.middleware.LoginNeeded",
    "configurator.web.middleware.SecondFactorNeeded",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
TWO_FACTOR = all(importlib.util.find_spec(name) for name in ("django_otp", "segno"))
"""Whether codes of an app can be asked for: the extra two-factor is installed."""
if TWO_FACTOR:
    INSTALLED_APPS += ["django_otp", "django_otp.plugins.otp_totp"]
OTP_TOTP_ISSUER = "AsteriskCTI"
ROOT_URLCONF = "configurator.urls"
WSGI_APPLICATION = "configurator.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "configurator.web.menu.menu_context",
            ]
        },
    }
]


def _database(path: Path) -> dict[str, object]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",  # the second of two writers waits, instead of failing half-way
            "timeout": 15,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-1024;",
        },
    }


DATABASES = {
    "default": _database(_options.manager_file),
    "configuration": _database(_options.configuration_file),
}
DATABASE_ROUTERS = ["configurator.database.routers.TwoDatabases"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "configurator.ManagerUser"
AUTHENTICATION_BACKENDS = ["configurator.users.authentication.ManagerBackend"]
OPENID = openid_settings.read_openid_settings(
    _options.data / options.MAIL_NAME,
    all(importlib.util.find_spec(name) for name in ("mozilla_django_oidc", "jwt", "requests")),
)
"""The provider whose accounts log in here, too; None where there is none."""
if OPENID is not None:
    AUTHENTICATION_BACKENDS.append(openid_settings.BACKEND)
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("userid", "full_name", "email")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "configurator.users.password_rules.TypeableValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
PASSWORD_RESET_TIMEOUT = 3600  # seconds a link to a new password lives

SESSION_COOKIE_NAME = "astcti_session"
SESSION_COOKIE_AGE = 60 * 60  # seconds without a request after which a session ends
SESSION_LONGEST = 12 * 60 * 60  # seconds after the login, however busy
SESSION_RENEWED = 60  # seconds: a session that was asked for is stored anew so often, not with each page
SESSION_EXPIRE_AT_BROWSER_CLOSE = False
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = _options.https
CSRF_COOKIE_NAME = "astcti_csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SECURE = _options.https
CSRF_FAILURE_VIEW = "configurator.views.site.csrf_failed"
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if _options.https else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 40_000  # a service may have twenty thousand operators, a field each
FILE_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024
FILE_UPLOAD_TEMP_DIR = str(options.scratch_directory(_options))

STATIC_URL = "/static/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "configurator.web.static_files.VersionedStaticFiles"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_MAX_AGE = 7 * 24 * 3600  # addresses carry a mark of the content

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("it", "Italiano")]
LOCALE_PATHS = [str(_HERE / "locale")]
LANGUAGE_COOKIE_NAME = "astcti_language"
USE_I18N = True
USE_TZ = True
TIME_ZONE = _time_zone()
FORMAT_MODULE_PATH = ["configurator.formats"]

MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
LOGGING_CONFIG = None  # the command line decides; whoever imports this keeps their own

locals().update(mail_settings.read_mail_settings(_options.data / options.MAIL_NAME))
SECOND_FACTOR_FOR = mail_settings.read_second_factor(_options.data / options.MAIL_NAME, TWO_FACTOR)
