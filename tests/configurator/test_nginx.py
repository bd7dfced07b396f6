"""The example for nginx in the documentation, run as it stands there."""

from __future__ import annotations

import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.configurator.openid.conftest import RunningProvider, WebPerson, started, write_settings
from tests.configurator.openid.toolkit_provider import PASSWORD
from tests.fake.patience import PATIENCE
from tests.fake.ports import free_port

DOCS = Path(__file__).resolve().parents[2] / "docs" / "configurator.md"
NAME = "cti.example.com"
WHOLE = """daemon off; pid {folder}/pid; error_log stderr;
events {{}}
http {{ access_log off;
client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
{server} }}
"""


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[RunningProvider]:
    """Whose accounts log in, too."""
    with started("tests.configurator.openid.toolkit_provider") as program:
        running = RunningProvider(program)
        write_settings(tmp_path / "data", running.issuer)
        running.register(f"https://{NAME}/sign-on/callback/")
        yield running


@pytest.fixture
def proxied(tmp_path: Path, provider: RunningProvider) -> Iterator[int]:
    """The port on which nginx speaks TLS, with the Configurator behind it."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        assert os.environ.get("CI") != "true", "nginx is missing"
        pytest.skip("nginx is not installed")
    key, certificate = tmp_path / "cti.key", tmp_path / "cti.pem"
    line = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    line += ["-keyout", str(key), "-out", str(certificate), "-subj", f"/CN={NAME}"]
    subprocess.run([*line, "-addext", f"subjectAltName=DNS:{NAME}"], check=True, capture_output=True)
    command = [sys.executable, "-m", "configurator", "--data", str(tmp_path / "data")]
    command += ["--publish", str(tmp_path), "--listen", "127.0.0.1:0", "--https", "--host", NAME]
    user = {"ASTCTI_CONFIGURATOR_USER": "root", "ASTCTI_CONFIGURATOR_PASSWORD": "correct-horse-9"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **user}) as program:
        assert program.stdout is not None
        behind = program.stdout.readline().rpartition(":")[2].strip(" /\n")
        found = re.search(r"```nginx\n(.*?)```", DOCS.read_text(), re.DOTALL)
        assert found is not None
        port = free_port()
        server = found[1].replace("443", f"127.0.0.1:{port}").replace("8080", behind)
        server = server.replace("/etc/ssl/certs", str(tmp_path)).replace("/etc/ssl/private", str(tmp_path))
        (tmp_path / "nginx.conf").write_text(WHOLE.format(folder=tmp_path, server=server))
        with subprocess.Popen([nginx, "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]) as proxy:
            _wait_for(port, proxy)
            yield port
            proxy.terminate()
        program.terminate()


def _wait_for(port: int, proxy: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and proxy.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    pytest.fail("nginx does not listen")


def ask(folder: Path, port: int, lines: list[str], body: str = "") -> str:
    """One request over TLS, by the name of the example."""
    context = ssl.create_default_context(cafile=folder / "cti.pem")
    with (
        socket.create_connection(("127.0.0.1", port), PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname=NAME) as wire,
    ):
        head = [*lines, f"Host: {NAME}", "Connection: close", f"Content-Length: {len(body)}"]
        wire.sendall("\r\n".join([*head, "", body]).encode())
        return b"".join(iter(lambda: wire.recv(65536), b"")).decode()


def test_one_logs_in_through_nginx_as_documented_and_nobody_pretends_to_come_from_elsewhere(
    proxied: int, tmp_path: Path
) -> None:
    page = ask(tmp_path, proxied, ["GET /login/ HTTP/1.1", "X-Forwarded-For: 192.0.2.66"])
    assert "strict-transport-security: max-age=31536000" in page.lower()
    token, cookie = re.search(r'token" value="([^"]+)', page), re.search(r"astcti_csrf=[^;]+;.*Secure", page)
    assert token is not None and cookie is not None
    form = f"csrfmiddlewaretoken={token[1]}&username=root&password=correct-horse-9"
    lines = [
        "POST /login/ HTTP/1.1",
        f"Cookie: {cookie[0].partition(';')[0]}",
        f"Origin: https://{NAME}",
        f"Referer: https://{NAME}/login/",
        "Content-Type: application/x-www-form-urlencoded",
        "X-Forwarded-For: 192.0.2.66",
    ]
    answer = ask(tmp_path, proxied, lines, form)
    assert answer.startswith("HTTP/1.1 302"), answer[:400]
    session = re.search(r"astcti_session=[^;]+", answer)
    assert session is not None
    audit = ask(tmp_path, proxied, ["GET /audit/ HTTP/1.1", f"Cookie: {session[0]}"])
    assert "127.0.0.1" in audit and "192.0.2.66" not in audit


def test_one_logs_in_with_an_account_of_a_provider_through_nginx_as_documented(
    proxied: int, provider: RunningProvider, tmp_path: Path
) -> None:
    begun = ask(tmp_path, proxied, ["GET /sign-on/?next=/audit/ HTTP/1.1"])
    cookie = re.search(r"astcti_session=[^;]+;.*Secure", begun)
    asked = re.search(r"Location: (\S+)", begun)
    assert cookie is not None and asked is not None and f"redirect_uri=https%3A%2F%2F{NAME}%2F" in asked[1]
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
    came = ask(tmp_path, proxied, [f"GET {path} HTTP/1.1", f"Cookie: {cookie[0].partition(';')[0]}"])
    assert came.startswith("HTTP/1.1 302") and "Location: /audit/" in came, came[:400]
    session = re.search(r"astcti_session=[^;]+", came)
    assert session is not None
    assert "Ada Admin" in ask(tmp_path, proxied, ["GET /audit/ HTTP/1.1", f"Cookie: {session[0]}"])
