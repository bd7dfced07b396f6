"""Looks at the configuration directory and the server's own files: what is in them, and who may read it."""

from __future__ import annotations

import os
import pwd
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from astcti_server.config.loading import load_directory
from astcti_server.config.memory import NAME as IN_FORCE_NAME
from astcti_server.config.memory import ConfigMemory
from astcti_server.doctor.facts import FileFacts, LookedAtFile, ServerFacts, SystemUser
from astcti_server.login_key import NAME as KEY_NAME
from astcti_server.queues.state_file import NAME as MEMBERS_NAME
from schemas.configuration.directory import SETTINGS_NAME
from schemas.problems import ConfigurationError
from schemas.server.file_checks import expiring_authority, open_to_others, validity_of
from schemas.server.settings import ServerSettings

USUAL_USER: Final = "astcti"
STATE_FILES: Final = {
    KEY_NAME: "a secret of this server",
    IN_FORCE_NAME: "hashes of passwords",
    MEMBERS_NAME: "who is in which queue",
}


def gather_files(
    directory: Path, state: Path, server: ServerFacts, clock: Callable[[], float] = time.time
) -> FileFacts:
    """Look at everything. Never raises for what is wrong."""
    user = server_user(server)
    common = {"directory": directory, "server_user": user, "state": _state(state, user)}
    own = [*_state_files(state), *_control_socket(server)]
    try:
        loaded = load_directory(directory, remembered=ConfigMemory(state).load(directory), clock=clock)
    except ConfigurationError as error:
        return FileFacts(**common, problems=error.problems, files=tuple(own))  # type: ignore[arg-type]
    ami, listen = loaded.settings.ami, loaded.settings.listen
    certificate, key = Path(listen.certificate), Path(listen.key)
    return FileFacts(
        **common,  # type: ignore[arg-type]
        in_force=loaded.path,
        settings=loaded.settings,
        configuration=loaded.configuration,
        refused=loaded.refused,
        warnings=loaded.warnings,
        held=loaded.held,
        files=(*_needed(directory, loaded.path, loaded.settings, user), *own),
        validity=validity_of(certificate, key) if listen.certificate and listen.key else None,
        authority_wrong=expiring_authority(Path(ami.ca_file), clock) if ami.tls and ami.ca_file else "",
    )


def server_user(server: ServerFacts) -> SystemUser | None:
    """Who runs the server, or is to run it: the user `astcti` that the installation makes."""
    if server.seen:
        number = int(server.seen["user"])
        return SystemUser(_name_of(number), number, frozenset(server.seen["groups"]))
    try:
        found = pwd.getpwnam(USUAL_USER)
    except KeyError:
        return None
    return SystemUser(USUAL_USER, found.pw_uid, frozenset(os.getgrouplist(USUAL_USER, found.pw_gid)))


def _name_of(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _needed(
    directory: Path, in_force: Path, settings: ServerSettings, user: SystemUser | None
) -> Iterator[LookedAtFile]:
    """What the server reads, and whether others may: of those with secrets in them."""
    listen, secrets = settings.listen, {"the manager user's secret": _secret_file(directory)}
    if listen.key:
        secrets["the certificate's key"] = Path(listen.key)
    secrets["hashes of passwords"] = in_force
    for content, path in secrets.items():
        yield LookedAtFile(path, content, closed_at(path, user, stat.S_IRUSR), open_to_others(path, content))
    public = {"settings": directory / SETTINGS_NAME}
    if listen.certificate:
        public["the certificate"] = Path(listen.certificate)
    if settings.ami.tls and settings.ami.ca_file:
        public["certificates of authorities"] = Path(settings.ami.ca_file)
    for content, path in public.items():
        if path not in secrets.values():
            yield LookedAtFile(path, content, closed_at(path, user, stat.S_IRUSR))


def _secret_file(directory: Path) -> Path:
    """Where the manager user's secret stands: server.xml, or the file that it names."""
    path = directory / SETTINGS_NAME
    try:
        element = ElementTree.parse(path).getroot().find("ami")  # valid, and the administrator's own
    except (OSError, ElementTree.ParseError):
        return path
    name = element.get("secret-file", "").strip() if element is not None else ""
    return directory / name if name else path


def _state(state: Path, user: SystemUser | None) -> LookedAtFile | None:
    if not state.exists():
        return None
    needed = stat.S_IRUSR | stat.S_IWUSR | stat.S_IXUSR
    wrong = closed_at(state, user, needed) if state.is_dir() else str(state)
    return LookedAtFile(state, "the state", wrong, open_to_others(state, "the server's state"))


def _state_files(state: Path) -> Iterator[LookedAtFile]:
    for name, content in STATE_FILES.items():
        yield LookedAtFile(state / name, content, "", open_to_others(state / name, content))


def _control_socket(server: ServerFacts) -> Iterator[LookedAtFile]:
    try:
        mode = server.control.lstat().st_mode
    except OSError:
        return
    if stat.S_ISSOCK(mode) and mode & 0o007:
        path = server.control
        wrong = f"every user of this machine can connect to {path} and keep it busy: chmod o-rwx {path}"
        yield LookedAtFile(path, "the control socket", "", wrong)


def closed_at(path: Path, user: SystemUser | None, needed: int) -> str:
    """Where a user is turned away on the way to a file; empty if nowhere, or nobody can tell.

    `needed` is the rights at its end, as those of an owner.
    """
    if user is None or user.user == 0:
        return ""
    try:
        for folder in reversed(path.absolute().parents):
            if not _may(folder, user, stat.S_IXUSR):
                return str(folder)
        return "" if _may(path, user, needed) else str(path)
    except OSError:
        return ""


def _may(path: Path, user: SystemUser, needed: int) -> bool:
    found = path.stat()
    if found.st_uid == user.user:
        shift = 0
    elif found.st_gid in user.groups:
        shift = 3
    else:
        shift = 6
    return (found.st_mode << shift) & needed == needed or _has_list(path)


def _has_list(path: Path) -> bool:
    """Whether an access control list, which is not looked into, may say more than the mode does."""
    try:
        return bool(os.getxattr(path, "system.posix_acl_access"))
    except OSError:
        return False
