"""An OpenID Connect provider made of django-oauth-toolkit, in a process of its own.

Prints its port, reads the address to come back to from standard input, prints `ready`, and serves. Its
users have `PASSWORD`; their groups are their roles. `group=NAME&user=NAME` sent to /test/group/ changes one.
"""

from __future__ import annotations

import os
import socketserver
import sys
import tempfile
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import django
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings

CLIENT_ID, CLIENT_SECRET = "astcti-configurator", "client-secret-of-tests"
PASSWORD = "provider-horse-9"
USERS = {
    "ada": ("Ada Admin", "cti-admins"),
    "sven": ("Sven Supervisor", "cti-supervisors"),
    "nora": ("Nora Nobody", "kitchen"),
    "carol": ("Carol Changing", "cti-admins"),
    "lena": ("Lena Local", "cti-supervisors"),
    "mary": ("Mary Mail", "cti-supervisors"),
    "rene": ("Rene Renewing", "cti-supervisors"),
}
FORM = """<!doctype html><title>Provider</title><h1>Provider</h1><form method="post">
<input type="hidden" name="csrfmiddlewaretoken" value="{token}">
<input name="username" id="username"><input type="password" name="password" id="password">
<button>Go on</button></form>"""


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Silent(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


def _set_up(folder: str) -> None:
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    settings.configure(
        SECRET_KEY="x" * 50,
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF=__name__,
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "oauth2_provider",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{folder}/provider.sqlite"}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
        LOGIN_URL="/login/",
        SESSION_COOKIE_NAME="provider_session",
        CSRF_COOKIE_NAME="provider_csrf",
        LOGGING_CONFIG=None,
        USE_TZ=True,
        OAUTH2_PROVIDER={
            "OIDC_ENABLED": True,
            "OIDC_RSA_PRIVATE_KEY": key.decode(),
            "OIDC_RP_INITIATED_LOGOUT_ENABLED": True,
            "OIDC_RP_INITIATED_LOGOUT_ALWAYS_PROMPT": False,
            "OAUTH2_VALIDATOR_CLASS": f"{__name__}.claims_validator",
            "SCOPES": {"openid": "OpenID", "profile": "Profile", "email": "E-mail"},
            "PKCE_REQUIRED": True,
        },
    )
    django.setup()


def main(folder: str) -> None:
    """Serve until killed."""
    _set_up(folder)
    from django.contrib.auth.models import Group, User
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application
    from oauth2_provider.models import Application

    call_command("migrate", verbosity=0)
    for name, (full_name, group) in USERS.items():
        first, _, last = full_name.partition(" ")
        user = User.objects.create_user(
            name, f"{name}@example.com", PASSWORD, first_name=first, last_name=last
        )
        user.groups.add(Group.objects.get_or_create(name=group)[0])
    server = make_server("127.0.0.1", 0, get_wsgi_application(), _Server, _Silent)
    print(server.server_port, flush=True)
    back = sys.stdin.readline().strip()
    Application.objects.create(
        name="Configurator",
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
        algorithm=Application.RS256_ALGORITHM,
        redirect_uris=back,
        post_logout_redirect_uris=back.replace("/sign-on/callback/", "/login/"),
        skip_authorization=True,
    )
    print("ready", flush=True)
    server.serve_forever()


def _login(request: Any) -> Any:
    from django.contrib.auth import authenticate, login
    from django.http import HttpResponse, HttpResponseRedirect
    from django.middleware.csrf import get_token

    user = authenticate(request, **{key: request.POST.get(key, "") for key in ("username", "password")})
    if request.method == "POST" and user is not None:
        login(request, user)
        return HttpResponseRedirect(request.GET["next"])
    return HttpResponse(FORM.format(token=get_token(request)))


def _set_group(request: Any) -> Any:
    from django.contrib.auth.models import Group, User
    from django.http import HttpResponse

    user = User.objects.get(username=request.POST["user"])
    user.groups.set([Group.objects.get_or_create(name=request.POST["group"])[0]])
    return HttpResponse("done")


def claims_validator(*arguments: Any, **named: Any) -> Any:
    """Django OAuth Toolkit's validator of everything, which says more of a user."""
    from oauth2_provider.oauth2_validators import OAuth2Validator

    class ClaimsValidator(OAuth2Validator):
        oidc_claim_scope = None

        def get_additional_claims(self, request: Any) -> dict[str, Any]:
            return {
                "preferred_username": request.user.username,
                "name": request.user.get_full_name(),
                "email": request.user.email,
                "roles": [group.name for group in request.user.groups.all()],
            }

    return ClaimsValidator(*arguments, **named)


def __getattr__(name: str) -> Any:
    if name != "urlpatterns":
        raise AttributeError(name)
    from django.urls import include, path
    from django.views.decorators.csrf import csrf_exempt

    return [
        path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
        path("login/", _login),
        path("test/group/", csrf_exempt(_set_group)),
    ]


if __name__ == "__main__":
    # By this name, too: Django finds what is asked for in this very module.
    sys.modules["tests.configurator.openid.toolkit_provider"] = sys.modules["__main__"]
    with tempfile.TemporaryDirectory() as place:
        main(place)
