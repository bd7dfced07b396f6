"""Judges the configuration directory and the server's files. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from astcti_server.doctor.facts import FileFacts, LookedAtFile, SystemUser
from astcti_server.doctor.findings import Finding, FindingCode, error, warning
from schemas.problems import Problem
from schemas.server.file_checks import validity_in_words
from schemas.server.settings import ServerSettings


def check_files(facts: FileFacts, now: float) -> Iterator[Finding]:
    """`now`: seconds since 1970."""
    for problem in facts.problems:
        yield error(FindingCode.CONFIGURATION_INVALID, _place(problem), problem.message)
    for problem in facts.refused:
        yield warning(FindingCode.CONFIGURATION_REFUSED, _place(problem), f"refused: {problem.message}")
    for held in facts.held:
        todo = f"If that is meant: astcti-server accept {held.digest.hex()}; else correct or delete it"
        yield warning(FindingCode.CONFIGURATION_HELD, str(held.path), f"held: {held.reason}", todo)
    certificate = list(_certificates(facts, now))
    open_files = [found for found in facts.files if found.open_to_others]
    told = {*(finding.what for finding in certificate), *(found.open_to_others for found in open_files)}
    for problem in facts.warnings:
        if problem.message not in told:
            yield warning(FindingCode.CONFIGURATION_WARNING, _place(problem), problem.message)
    yield from certificate
    for found in open_files:
        yield warning(FindingCode.FILE_OPEN, str(found.path), found.open_to_others)
    for found in facts.files:
        yield from _closed(found, facts.server_user)
    yield from _state(facts)


def _place(problem: Problem) -> str:
    return f"{problem.file}:{problem.line}" if problem.line else problem.file


def _certificates(facts: FileFacts, now: float) -> Iterator[Finding]:
    if facts.validity is not None and facts.settings is not None:
        path = facts.settings.listen.certificate
        wrong = validity_in_words(f"the certificate {path}", facts.validity, now)
        if wrong:
            invalid = not facts.validity.begin <= now < facts.validity.end
            make, code = (
                (error, FindingCode.CERTIFICATE_INVALID)
                if invalid
                else (warning, FindingCode.CERTIFICATE_ENDS)
            )
            yield make(code, _where_certificate(facts.settings), wrong)
    if facts.authority_wrong:
        yield warning(FindingCode.CERTIFICATE_ENDS, "server.xml <ami ca-file>", facts.authority_wrong)


def _where_certificate(settings: ServerSettings) -> str:
    return f"server.xml <listen certificate> ({settings.listen.address} port {settings.listen.port})"


def _closed(found: LookedAtFile, user: SystemUser | None) -> Iterator[Finding]:
    if not found.closed_at or user is None:
        return
    what = f"the server's user {user.name} may not read it"
    todo = f"chown root:{user.name} {found.path}; chmod g+r {found.path}"
    if found.closed_at == str(found.path.parent):
        what += f", for he may not enter {found.closed_at}"
        todo = f"chown root:{user.name} {found.closed_at}; chmod g+rx {found.closed_at}"
    elif found.closed_at != str(found.path):
        what += f", for he may not enter {found.closed_at}"
        todo = "Put the file elsewhere, or let him through there"
    yield error(FindingCode.FILE_CLOSED, str(found.path), what, todo)


def _state(facts: FileFacts) -> Iterator[Finding]:
    state, user = facts.state, facts.server_user
    if state is None:
        return
    if state.closed_at and user is not None:
        what = f"the server's user {user.name} may not write there (see {state.closed_at})"
        todo = f"chown {user.name}: {state.path}; chmod 750 {state.path}"
        yield error(FindingCode.STATE_DIRECTORY, str(state.path), what, todo)
    if state.open_to_others:
        yield warning(FindingCode.FILE_OPEN, str(state.path), state.open_to_others)
