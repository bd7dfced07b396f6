"""Django on databases of its own, one user for each role, and a directory to publish to."""

from __future__ import annotations

import atexit
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from configurator import options
from configurator.commands import data_directory
from configurator.options import Options

_DATA = Path(tempfile.mkdtemp(prefix="astcti-configurator-"))
atexit.register(shutil.rmtree, _DATA, ignore_errors=True)
data_directory.set_up(Options(_DATA))

from django.apps import apps
from django.conf import settings
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.test import Client
from django.test.utils import setup_test_environment, teardown_test_environment

from configurator.models import ManagerUser, Operator, Seat, Service

PASSWORD = "correct-horse-9"
MD5 = "md5:098f6bcd4621d373cade4e832627b4f6"


@pytest.fixture(scope="session", autouse=True)
def django_for_tests() -> Iterator[None]:
    """Cheap password hashes, mail in memory."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    setup_test_environment()
    yield
    teardown_test_environment()
    for connection in connections.all():
        connection.close()


@pytest.fixture(autouse=True)
def empty_tables() -> Iterator[None]:
    """Every test begins with nothing."""
    mail.outbox = []
    yield
    for model in apps.get_app_config("configurator").get_models():
        model.objects.all().delete()
    apps.get_model("sessions", "Session").objects.all().delete()


@pytest.fixture
def publish_directory(tmp_path: Path) -> Iterator[Path]:
    """Where files are published, with the status file beside it."""
    directory = tmp_path / "etc"
    directory.mkdir()
    before = options.current_options()
    options.set_options(replace(before, publish=directory, status=tmp_path / "status.json", keep=3))
    yield directory
    options.set_options(before)


@pytest.fixture
def users() -> dict[str, ManagerUser]:
    """One user a role, named like it."""
    return {
        role: ManagerUser.objects.make(
            role, PASSWORD, full_name=role.title(), role=role, email=f"{role}@example.com"
        )
        for role in ("administrator", "supervisor", "viewer")
    }


@pytest.fixture
def log_in(users: dict[str, ManagerUser]) -> Callable[[str], Client]:
    """A browser in which a user of this role is logged in."""

    def logged_in(role: str) -> Client:
        client = Client()
        answer = client.post("/login/", {"username": role, "password": PASSWORD})
        assert answer.status_code == 302, answer.content
        return client

    return logged_in


@pytest.fixture
def admin(log_in: Callable[[str], Client]) -> Client:
    """A browser in which the administrator is logged in."""
    return log_in("administrator")


@pytest.fixture
def demo() -> dict[str, Any]:
    """A service with a queue, a variable, a trigger and an operator on a seat."""
    seat = Seat.objects.create(mac="00:11:22:33:44:55", extension="PJSIP/201", description="First row")
    operator = Operator.objects.create(username="mario", full_name="Mario Rossi", password=MD5, seat=seat)
    service = Service.objects.create(name="Demo", context="astctidemo", is_queue=True, queue_name="astcti")
    variable = service.variables.create(name="calldata")
    service.triggers.create(url="https://crm.example/t?id={CALLDATA}")
    service.bindings.create(operator=operator, penalty=1)
    return {"seat": seat, "operator": operator, "service": service, "variable": variable}


def status_file() -> Path:
    """Where the server says what it does; only with `publish_directory`."""
    path = options.current_options().status
    assert path is not None
    return path


def first_group(pattern: str, text: str) -> str:
    """What a pattern finds in a page, a mail or a line."""
    match = re.search(pattern, text, re.DOTALL)
    assert match is not None, f"{pattern} is not in {text}"
    return match[1]


def post_import(
    client: Client, what: str, data: bytes, store: str = "no", name: str = "file", **named: Any
) -> Any:
    """Upload a file to be imported; `agreed` looks first and agrees to what the page says then."""

    def send(mark: str) -> Any:
        fields = {"what": what, "file": SimpleUploadedFile(name, data), "store": mark}
        return client.post("/publish/import/", fields, **named)

    answer = send("no" if store == "agreed" else store)
    return send(answer.context["result"].get("seen", "no")) if store == "agreed" else answer


def service_data(**changed: Any) -> dict[str, Any]:
    """What the form of a service sends."""
    data = {
        "name": "Sales",
        "type": "inbound",
        "context": "sales",
        "is_queue": "on",
        "queue_name": "sales",
        "enabled": "on",
        "revision": "",
        "variables-TOTAL_FORMS": "0",
        "variables-INITIAL_FORMS": "0",
        "triggers-TOTAL_FORMS": "0",
        "triggers-INITIAL_FORMS": "0",
    }
    return {key: value for key, value in {**data, **changed}.items() if value is not None}
