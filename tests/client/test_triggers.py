"""What is run and opened for an event, and what is not."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from astcti_client.triggers.programs import TriggerRefused, find_program
from astcti_client.triggers.runner import (
    PopUpMemory,
    TriggerOutcome,
    TriggerRunner,
    actions_for_system,
    check_page_address,
    own_system,
)
from schemas.configuration.model import TriggerSystem
from schemas.events import Action, Call, CallEvent, ConnectedParty
from tests.fake.patience import until

CALL = Call(
    "1.2", "PJSIP/201-1", "333", "Demo", linkedid="1.1", connected=ConnectedParty("1.1", "PJSIP/out-1")
)


def link(*actions: Action, **changes: object) -> CallEvent:
    return CallEvent("Link", CALL, "Demo", actions)._replace(**changes)  # type: ignore[arg-type]


class Recorder:
    """A program that writes its arguments to a file, and the environment in which it is found."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.written = place / "arguments.json"
        self.program = self.script("recorder", "sys.argv[1:]")
        self.environ = {"PATH": str(place)}

    def script(self, name: str, what: str) -> Path:
        file = self.place / name
        code = "import json, os, sys\nfrom pathlib import Path\nprint('noise')\n"
        code += "print('noise', file=sys.stderr)\n"
        code += f"part = Path({str(self.written)!r} + '.part')\npart.write_text(json.dumps({what}))\n"
        code += f"part.rename({str(self.written)!r})\n"
        file.write_text(f"#!{sys.executable} -I\n{code}")
        file.chmod(0o755)
        return file

    def arguments(self) -> list[str]:
        """What the program got, once it has run."""
        until(self.written.exists, "the program was not run")
        return json.loads(self.written.read_text())


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path)


@pytest.fixture
def runner(recorder: Recorder) -> Iterator[TriggerRunner]:
    made = TriggerRunner(system="linux", environ=recorder.environ)
    yield made
    made.close()


def only(outcomes: list[TriggerOutcome]) -> TriggerOutcome:
    assert len(outcomes) == 1
    return outcomes[0]


# --- which triggers ---


def test_triggers_of_the_own_system_go_before_those_of_any_by_type() -> None:
    mine = Action("application", "linux", "mine")
    theirs = Action("application", "windows", "theirs")
    anyone = Action("application", "any", "anyone")
    page = Action("browser", "any", url="https://crm.example/")
    assert actions_for_system([anyone, mine, theirs, page], "linux") == (mine, page)
    assert actions_for_system([anyone, mine, theirs, page], "macos") == (anyone, page)
    assert actions_for_system([theirs], "linux") == ()


def test_a_trigger_for_another_system_is_not_run(runner: TriggerRunner, recorder: Recorder) -> None:
    assert runner.carry_out(link(Action("application", "windows", "recorder")), trusted=True) == []
    assert not recorder.written.exists()


def test_a_call_told_again_after_a_log_in_runs_nothing(runner: TriggerRunner) -> None:
    assert (
        runner.carry_out(link(Action("application", application="recorder"), repeat=True), trusted=True) == []
    )


def test_an_event_told_twice_runs_its_trigger_once(runner: TriggerRunner) -> None:
    event = link(Action("application", application="recorder"))
    assert only(runner.carry_out(event, trusted=True)).done
    assert runner.carry_out(event, trusted=True) == []


def test_another_party_or_another_moment_runs_the_trigger_again() -> None:
    memory, action = PopUpMemory(), Action("browser", url="https://crm.example/")
    event = link(action)
    other = link(action, call=CALL._replace(connected=ConnectedParty("9.9", "PJSIP/out-9")))
    assert memory.first_time(event, action)
    assert memory.first_time(other, action)
    assert memory.first_time(event._replace(id="Hangup"), action)
    assert not memory.first_time(event, action)


def test_the_memory_of_pop_ups_is_bounded() -> None:
    memory, action = PopUpMemory(size=2), Action("browser")
    events = [link(action, call=CALL._replace(uniqueid=str(number))) for number in range(3)]
    assert all(memory.first_time(event, action) for event in events)
    assert not memory.first_time(events[2], action)
    assert memory.first_time(events[0], action)


# --- applications ---

HOSTILE = [
    "; touch pwned",
    "$(touch pwned)",
    "`touch pwned`",
    "a b  c",
    "\"quoted' ",
    "&& calc.exe",
    "%PATH%",
    "^&|<>",
    "",
    "--",
    "line\nbreak",
    "ünïcödé ☎",
    "{CALLERID}",
    "*",
    "~",
]


def test_arguments_reach_the_program_unchanged_and_one_by_one(
    runner: TriggerRunner, recorder: Recorder, capfd: pytest.CaptureFixture[str]
) -> None:
    outcome = only(
        runner.carry_out(
            link(Action("application", application="recorder", arguments=tuple(HOSTILE))), trusted=True
        )
    )
    assert outcome.done, outcome.message
    assert recorder.arguments() == HOSTILE
    assert "noise" not in "".join(capfd.readouterr())


def test_an_argument_with_a_nul_is_refused(runner: TriggerRunner) -> None:
    outcome = only(
        runner.carry_out(
            link(Action("application", application="recorder", arguments=("a\0b",))), trusted=True
        )
    )
    assert not outcome.done
    assert "null" in outcome.message


def test_the_program_has_a_session_of_its_own(runner: TriggerRunner, recorder: Recorder) -> None:
    recorder.script("leader", "[os.getsid(0) == os.getpid()]")
    assert only(runner.carry_out(link(Action("application", application="leader")), trusted=True)).done
    assert recorder.arguments() == [True]


def test_an_untrusted_server_has_its_pages_opened_and_no_program_started(
    runner: TriggerRunner, recorder: Recorder
) -> None:
    program, page = Action("application", application="recorder"), Action("browser", url=URL)
    first, second = runner.carry_out(link(program, page), trusted=False)
    assert not first.done
    assert "recorder: not started" in first.message
    assert second.done
    assert not recorder.written.exists()


def test_a_program_starts_in_the_users_home_and_is_not_told_the_password(
    recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    recorder.script("teller", "[os.getcwd(), sorted(os.environ)]")
    environ = {**recorder.environ, "ASTCTI_CLIENT_PASSWORD": "test", "ASTCTI_CLIENT_HOST": "cti.example"}
    with contextlib.closing(TriggerRunner(system="linux", environ=environ)) as runner:
        assert only(runner.carry_out(link(Action("application", application="teller")), trusted=True)).done
        where, names = recorder.arguments()
    assert where == str(home)
    assert "ASTCTI_CLIENT_HOST" in names
    assert "ASTCTI_CLIENT_PASSWORD" not in names


def test_programs_that_ended_leave_no_zombie(runner: TriggerRunner, recorder: Recorder) -> None:
    before = set(psutil.Process().children())
    runner.carry_out(link(Action("application", application="recorder")), trusted=True)
    (child,) = set(psutil.Process().children()) - before
    recorder.arguments()

    def is_gone() -> bool:
        assert runner.finished() == []
        return not child.is_running()

    until(is_gone, "the program that ended is still there")


def test_a_place_on_the_path_that_cannot_be_looked_at_is_passed_over(recorder: Recorder) -> None:
    unreadable = "/" + 300 * "x"  # as a folder that this user may not enter; root may enter all of those
    environ = {"PATH": f"{unreadable}:{recorder.place}"}
    with contextlib.closing(TriggerRunner(system="linux", environ=environ)) as runner:
        outcome = only(runner.carry_out(link(Action("application", application="recorder")), trusted=True))
        assert outcome.done, outcome.message
        assert recorder.arguments() == []
        outcome = only(
            runner.carry_out(link(Action("application", application=f"{unreadable}/crm")), trusted=True)
        )
        assert "there is no such program on this PC" in outcome.message


def test_a_missing_program_is_told_in_words(runner: TriggerRunner) -> None:
    outcome = only(runner.carry_out(link(Action("application", application="no-such-program")), trusted=True))
    assert not outcome.done
    assert "no-such-program: there is no such program on the PATH of this PC" in outcome.message


def test_a_script_that_the_system_cannot_execute_is_told_in_words(
    runner: TriggerRunner, recorder: Recorder
) -> None:
    broken = recorder.place / "broken"
    broken.write_text("touch pwned\n")
    broken.chmod(0o755)
    outcome = only(runner.carry_out(link(Action("application", application=str(broken))), trusted=True))
    assert not outcome.done
    assert "could not be started" in outcome.message


def find(
    name: str,
    place: Path,
    system: TriggerSystem = "windows",
    allowed: list[str] | None = None,
    *,
    trusted: bool = True,
) -> str:
    return find_program(name, system=system, path=str(place), trusted=trusted, allowed=allowed)


def file(place: Path, name: str) -> str:
    made = place / name
    made.write_text("")
    made.chmod(0o755)
    return str(made)


@pytest.mark.parametrize(
    "name", ["run.bat", "RUN.CMD", "run.bat.", "run.cmd . ", "run.bat ", "run.bat::$DATA", "x.exe:y.bat"]
)
def test_a_batch_file_is_refused_however_it_is_spelt(tmp_path: Path, name: str) -> None:
    for place in ("", f"{tmp_path}/", "C:\\crm\\"):
        with pytest.raises(TriggerRefused, match="batch files"):
            find(place + name, tmp_path)


@pytest.mark.parametrize("suffix", [".bat", ".cmd"])
def test_a_name_that_stands_for_a_batch_file_is_refused(tmp_path: Path, suffix: str) -> None:
    file(tmp_path, "crm" + suffix)
    with pytest.raises(TriggerRefused, match="batch files"):
        find("crm", tmp_path)


def test_a_link_to_a_batch_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "crm.exe").symlink_to(file(tmp_path, "crm.bat"))
    with pytest.raises(TriggerRefused, match="batch files"):
        find("crm.exe", tmp_path)


def test_on_windows_a_name_without_suffix_finds_the_program(tmp_path: Path) -> None:
    program = file(tmp_path, "crm.exe")
    file(tmp_path, "crm.bat")
    assert find("crm", tmp_path) == program
    assert find(str(tmp_path / "crm"), tmp_path) == program


@pytest.mark.parametrize("name", ["./crm", "bin/crm", "../crm"])
def test_a_relative_path_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(TriggerRefused, match="full path"):
        find(name, tmp_path, "linux")


def test_the_current_directory_is_not_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file(tmp_path, "crm")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TriggerRefused, match="no such program"):
        find_program("crm", system="linux", path=":.:", trusted=True)


def test_without_a_list_only_a_trusted_server_names_programs(tmp_path: Path) -> None:
    program = file(tmp_path, "crm")
    assert find("crm", tmp_path, "linux") == program
    for name in ("crm", program, "no-such-program"):
        with pytest.raises(TriggerRefused, match="nothing proves that the server is the right one"):
            find(name, tmp_path, "linux", trusted=False)


def test_a_listed_program_runs_whoever_the_server_is(tmp_path: Path) -> None:
    program = file(tmp_path, "crm")
    assert find("crm", tmp_path, "linux", ["crm"], trusted=False) == program
    for allowed in ([], ["other"]):
        with pytest.raises(TriggerRefused, match="not among the allowed-programs"):
            find("crm", tmp_path, "linux", allowed, trusted=False)


def test_a_file_without_permission_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "crm").write_text("")
    with pytest.raises(TriggerRefused, match="may not be executed"):
        find(str(tmp_path / "crm"), tmp_path, "linux")


def test_only_allowed_programs_run_when_there_is_a_list(tmp_path: Path) -> None:
    program = file(tmp_path, "crm.exe")
    assert find("crm.exe", tmp_path, allowed=["CRM.EXE"]) == program
    assert find("crm", tmp_path, allowed=[program.upper()]) == program
    for allowed in ([], ["other"], [str(tmp_path)]):
        with pytest.raises(TriggerRefused, match="allowed-programs"):
            find("crm.exe", tmp_path, allowed=allowed)
    with pytest.raises(TriggerRefused, match="allowed-programs"):
        find(program, tmp_path, allowed=["crm.exe"])  # the name allows what is on the PATH, not any path


# --- pages ---

URL = "https://crm.example/ticket?id=12345&from=%3Btouch%20pwned&name=%22A%22%26B#there"


def browser(recorder: Recorder) -> TriggerRunner:
    return TriggerRunner(system="linux", environ={**recorder.environ, "BROWSER": f"{recorder.program} %s &"})


@pytest.mark.parametrize("kind", ["browser", "internal-browser"])
def test_the_address_reaches_the_browser_whole(
    recorder: Recorder, capfd: pytest.CaptureFixture[str], kind: str
) -> None:
    runner = browser(recorder)
    assert only(runner.carry_out(link(Action(kind, url=URL)), trusted=True)).done  # type: ignore[arg-type]
    assert recorder.arguments() == [URL]
    runner.close()
    assert "noise" not in "".join(capfd.readouterr())


def test_that_there_is_no_window_for_pages_is_said_once(
    recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    runner = browser(recorder)
    for number in range(2):
        runner.carry_out(link(Action("internal-browser", url=f"{URL}{number}")), trusted=True)
    runner.close()
    assert caplog.text.count("no browser window of its own") == 1


def test_the_clients_own_window_is_used_where_there_is_one() -> None:
    shown: list[tuple[str, str]] = []
    runner = TriggerRunner(system="linux", show_page=lambda url, service: shown.append((url, service)))
    assert only(runner.carry_out(link(Action("internal-browser", url=URL)), trusted=True)).done
    assert [url for url, _ in shown] == [URL]
    assert not only(
        runner.carry_out(link(Action("internal-browser", url="file:///etc/passwd")), trusted=True)
    ).done


def test_without_a_window_of_its_own_for_a_page_the_system_opens_it(
    recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    def no_window(_url: str, _service: str) -> None:
        raise TriggerRefused("no window")

    environ = {**recorder.environ, "BROWSER": str(recorder.program)}
    with contextlib.closing(TriggerRunner(environ=environ, show_page=no_window)) as runner:
        assert only(runner.carry_out(link(Action("internal-browser", url=URL)), trusted=True)).done
        assert recorder.arguments() == [URL]
    assert caplog.messages == ["no window; the system's browser opens it"]


def test_a_trigger_that_fails_otherwise_ends_only_itself(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_url: str, _service: str) -> None:
        raise RuntimeError("an error of our own")

    with contextlib.closing(TriggerRunner(show_page=broken)) as runner:
        outcome = only(runner.carry_out(link(Action("internal-browser", url=URL)), trusted=True))
    assert not outcome.done
    assert outcome.message == f"{URL}: an error of our own"
    assert "could not be carried out" in caplog.text


def test_a_bundle_opens_pages_by_itself(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(recorder.program))
    with contextlib.closing(TriggerRunner(environ=recorder.environ)) as runner:
        assert only(runner.carry_out(link(Action("browser", url=URL)), trusted=True)).done
        assert recorder.arguments() == ["open-page", URL]


@pytest.mark.parametrize("keyed_first", [True, False])
def test_a_trigger_is_the_same_with_a_key_and_without(runner: TriggerRunner, keyed_first: bool) -> None:
    """The server was updated, or went back a release, in the middle of the call."""
    plain = link(Action("browser", url="https://crm.example/"))
    keyed = link(Action("browser", url="https://crm.example/", key="0123456789abcdef"), seq=1)
    first, second = (keyed, plain) if keyed_first else (plain, keyed)
    assert len(runner.due(first, trusted=True)) == 1
    assert runner.due(second, trusted=True) == []


@pytest.mark.parametrize(
    ("platform", "system"), [("win32", "windows"), ("darwin", "macos"), ("linux", "linux")]
)
def test_a_system_goes_by_the_name_that_triggers_use(
    monkeypatch: pytest.MonkeyPatch, platform: str, system: TriggerSystem
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert own_system() == system


def test_a_missing_browser_is_reported_later(recorder: Recorder) -> None:
    runner = TriggerRunner(
        system="linux", environ={"PATH": str(recorder.place), "BROWSER": "no-such-browser &"}
    )
    runner.carry_out(link(Action("browser", url=URL)), trusted=True)
    outcomes: list[TriggerOutcome] = []

    def finished() -> bool:
        outcomes.extend(runner.finished())
        return bool(outcomes)

    until(finished, "nothing is reported")
    assert "no web browser could be started" in only(outcomes).message


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://crm.example/",
        "//crm.example/",
        "crm.example",
        "https:///x",
        "https://",
        "",
        "--help",
        "https://crm.example/a b",
        "https://crm.example/\nx",
        "https://a\\b/",
        'https://crm.example/"',
        "https://[::1/",
        "https://crm.example/" + "x" * 40000,
        "https://crm.example/\u202e",
    ],
)
def test_what_is_no_web_address_is_refused(runner: TriggerRunner, url: str) -> None:
    before = psutil.Process().children()
    outcome = only(runner.carry_out(link(Action("browser", url=url)), trusted=True))
    assert not outcome.done
    assert psutil.Process().children() == before


@pytest.mark.parametrize(
    "url", ["http://crm/", URL, "https://[::1]:8080/x", "HTTPS://crm.example/?a=%E2%98%8E"]
)
def test_web_addresses_are_taken(url: str) -> None:
    check_page_address(url)


@given(st.text())
def test_no_text_makes_the_check_of_addresses_fail_otherwise(url: str) -> None:
    checks: list[Callable[[str], None]] = [
        check_page_address,
        lambda text: check_page_address("https://" + text),
    ]
    for check in checks:
        try:
            check(url)
        except TriggerRefused:
            continue
