"""The examples for web servers in the documentation, run as they stand there."""

from __future__ import annotations

import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.configurator.openid.conftest import (
    RunningConfigurator,
    RunningProvider,
    WebPerson,
    running_configurator,
    started,
    write_settings,
)
from tests.configurator.openid.toolkit_provider import PASSWORD
from tests.fake.patience import PATIENCE
from tests.fake.ports import free_port

DOCS = Path(__file__).resolve().parents[2] / "docs" / "configurator.md"
NAME = "cti.example.com"
APACHE_MODULES = Path("/usr/lib/apache2/modules")

NGINX = """daemon off; pid {folder}/pid; error_log stderr;
events {{}}
http {{ access_log off;
client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
{example} }}
"""
# An authority of its own instead of one on the internet, which would give no certificate for this name.
CADDY = """{{
https_port {port}
auto_https disable_redirects
local_certs
skip_install_trust
admin off
default_bind 127.0.0.1
}}
{example}
"""
# What Debian's apache2 has beside the modules that the documentation names.
APACHE = """ServerRoot {folder}
PidFile {folder}/pid
ErrorLog /dev/stderr
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
User www-data
Group www-data
{loaded}
Listen 127.0.0.1:{port}
{example}
"""


@dataclass(frozen=True)
class RunningProxy:
    """What speaks TLS in front of the Configurator."""

    port: int
    authority: Path
    """The certificate that its own is checked with."""


def example(language: str, port: int, behind: str, folder: Path) -> str:
    """What the documentation says, but for ports and files."""
    found = re.search(rf"```{language}\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert found is not None
    text = found[1].replace("127.0.0.1:8080", behind.removeprefix("http://"))
    for place in ("/etc/ssl/certs", "/etc/ssl/private"):
        text = text.replace(place, str(folder))
    return text.replace("listen 443", f"listen 127.0.0.1:{port}").replace("*:443", f"127.0.0.1:{port}")


def nginx(program: str, port: int, behind: str, folder: Path) -> tuple[list[str], Path]:
    """How it is started, and whose certificates it has."""
    text = NGINX.format(folder=folder, example=example("nginx", port, behind, folder))
    (folder / "nginx.conf").write_text(text)
    return [program, "-p", str(folder), "-c", str(folder / "nginx.conf")], make_certificate(folder)


def caddy(program: str, port: int, behind: str, folder: Path) -> tuple[list[str], Path]:
    """The same."""
    (folder / "Caddyfile").write_text(
        CADDY.format(port=port, example=example("caddyfile", port, behind, folder))
    )
    authority = folder / "caddy" / "pki" / "authorities" / "local" / "root.crt"
    return [program, "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"], authority


def apache2(program: str, port: int, behind: str, folder: Path) -> tuple[list[str], Path]:
    """The same."""
    found = re.search("`a2enmod ([a-z_ ]+)`", DOCS.read_text())
    assert found is not None
    loaded = "\n".join(
        f"LoadModule {name}_module {APACHE_MODULES}/mod_{name}.so" for name in found[1].split()
    )
    text = APACHE.format(
        folder=folder,
        modules=APACHE_MODULES,
        loaded=loaded,
        port=port,
        example=example("apache", port, behind, folder),
    )
    (folder / "apache2.conf").write_text(text)
    return [program, "-f", str(folder / "apache2.conf"), "-D", "FOREGROUND"], make_certificate(folder)


STARTS = {"nginx": nginx, "caddy": caddy, "apache2": apache2}


def make_certificate(folder: Path) -> Path:
    """One for the name of the examples, its own authority."""
    key, certificate = folder / "cti.key", folder / "cti.pem"
    line = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    line += ["-keyout", str(key), "-out", str(certificate), "-subj", f"/CN={NAME}"]
    subprocess.run([*line, "-addext", f"subjectAltName=DNS:{NAME}"], check=True, capture_output=True)
    return certificate


@contextmanager
def running_proxy(name: str, behind: str, folder: Path) -> Iterator[RunningProxy]:
    """A web server as documented, in front of this address."""
    program = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if program is None:
        assert os.environ.get("CI") != "true", f"{name} is missing"
        pytest.skip(f"{name} is not installed")
    port = free_port()
    command, authority = STARTS[name](program, port, behind, folder)
    environment = {**os.environ, "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with subprocess.Popen(command, env=environment) as proxy:
        try:
            _wait_for(port, proxy, authority)
            yield RunningProxy(port, authority)
        finally:
            proxy.terminate()


def _wait_for(port: int, proxy: subprocess.Popen[bytes], authority: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and proxy.poll() is None:
        try:
            with connected(RunningProxy(port, authority)):
                return
        except OSError:
            time.sleep(0.05)
    pytest.fail("the web server does not answer")


@contextmanager
def connected(proxy: RunningProxy) -> Iterator[ssl.SSLSocket]:
    """A connection with TLS, by the name of the examples."""
    context = ssl.create_default_context(cafile=proxy.authority)
    with (
        socket.create_connection(("127.0.0.1", proxy.port), PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname=NAME) as wire,
    ):
        yield wire


def ask(proxy: RunningProxy, lines: list[str], body: str = "", host: str = NAME) -> str:
    """One request over TLS."""
    with connected(proxy) as wire:
        head = [*lines, f"Host: {host}", "Connection: close", f"Content-Length: {len(body)}"]
        wire.sendall("\r\n".join([*head, "", body]).encode())
        return b"".join(iter(lambda: wire.recv(65536), b"")).decode()


@pytest.fixture
def configurator(tmp_path: Path) -> Iterator[RunningConfigurator]:
    """The application as the documentation says it is started behind a web server."""
    with running_configurator(tmp_path / "data", "--https", "--host", NAME) as application:
        yield application


@pytest.mark.parametrize("name", STARTS)
def test_one_logs_in_through_it_as_documented_and_nobody_pretends_to_come_from_elsewhere(
    configurator: RunningConfigurator, name: str, tmp_path: Path
) -> None:
    false = ["X-Forwarded-For: 192.0.2.66", "X-Forwarded-Proto: http", "Forwarded: for=192.0.2.66;proto=http"]
    with running_proxy(name, configurator.address, tmp_path) as proxy:
        host = f"{NAME}:{proxy.port}"  # as a browser says it, but for 443
        page = ask(proxy, ["GET /login/ HTTP/1.1", *false], host=host)
        assert "strict-transport-security: max-age=31536000" in page.lower()
        token = re.search(r'token" value="([^"]+)', page)
        cookie = re.search(r"astcti_csrf=[^;]+;.*Secure", page)
        assert token is not None and cookie is not None
        form = f"csrfmiddlewaretoken={token[1]}&username=root&password=correct-horse-9"
        lines = [
            "POST /login/ HTTP/1.1",
            f"Cookie: {cookie[0].partition(';')[0]}",
            f"Origin: https://{host}",
            f"Referer: https://{host}/login/",
            "Content-Type: application/x-www-form-urlencoded",
            *false,
        ]
        answer = ask(proxy, lines, form, host)
        assert answer.startswith("HTTP/1.1 302"), answer[:400]
        session = re.search(r"astcti_session=[^;]+", answer)
        assert session is not None
        audit = ask(proxy, ["GET /audit/ HTTP/1.1", f"Cookie: {session[0]}"], host=host)
        assert "127.0.0.1" in audit and "192.0.2.66" not in audit


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[RunningProvider]:
    """Whose accounts log in, too."""
    with started("tests.configurator.openid.toolkit_provider") as program:
        running = RunningProvider(program)
        write_settings(tmp_path / "data", running.issuer)
        running.register(f"https://{NAME}/sign-on/callback/")
        yield running


def test_one_logs_in_with_an_account_of_a_provider_through_nginx_as_documented(
    provider: RunningProvider, configurator: RunningConfigurator, tmp_path: Path
) -> None:
    with running_proxy("nginx", configurator.address, tmp_path) as proxy:
        begun = ask(proxy, ["GET /sign-on/?next=/audit/ HTTP/1.1"])
        cookie = re.search(r"astcti_session=[^;]+;.*Secure", begun)
        asked = re.search(r"Location: (\S+)", begun)
        assert cookie is not None and asked is not None
        assert f"redirect_uri=https%3A%2F%2F{NAME}%2F" in asked[1]
        person = WebPerson(provider.address)
        form = person.get(asked[1])
        token = re.search(r'token" value="([^"]+)', form.text)
        assert token is not None
        sent = {"username": "ada", "password": PASSWORD, "csrfmiddlewaretoken": token[1]}
        answer = person.session.post(form.url, sent, allow_redirects=False, timeout=PATIENCE)
        back = person.session.get(
            provider.address + answer.headers["Location"], allow_redirects=False, timeout=PATIENCE
        ).headers["Location"]
        person.session.close()
        assert back.startswith(f"https://{NAME}/sign-on/callback/?")
        path = back.removeprefix(f"https://{NAME}")
        came = ask(proxy, [f"GET {path} HTTP/1.1", f"Cookie: {cookie[0].partition(';')[0]}"])
        assert came.startswith("HTTP/1.1 302") and "Location: /audit/" in came, came[:400]
        session = re.search(r"astcti_session=[^;]+", came)
        assert session is not None
        assert "Ada Admin" in ask(proxy, ["GET /audit/ HTTP/1.1", f"Cookie: {session[0]}"])
