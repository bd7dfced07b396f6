"""What the window keeps and registers: settings, history, links, icons; and starting without a display."""

from __future__ import annotations

import contextlib
import csv
import queue
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from astcti_client.hand_over.named_pipe import HandOverPipe, hand_over_by_pipe
from astcti_client.hand_over.requests import SHOW, DialReply, NoHandOver, OtherClient
from astcti_client.key_combination import parse_combination
from astcti_client.settings import load_settings
from astcti_client.settings_file import changed, save
from astcti_client.ui.desktop import autostart, url_handler
from astcti_client.ui.desktop.system_keyring import SystemKeyring
from astcti_client.ui.state.history import HISTORY_VERSION, History, HistoryEntry, NewerHistory
from astcti_client.ui.state.window_places import WindowPlace, WindowPlaces
from astcti_client.ui.theme import icon_shapes, icons
from astcti_client.ui.theme.palette import DARK, LIGHT, Palette
from astcti_client.ui.widgets.menu_letters import menu_letters
from tests.fake.patience import PATIENCE

# --- settings ---


def test_saving_keeps_comments_and_everything_else() -> None:
    before = '# mine\nhost = "a" # old\nallowed-programs = [\n  "x",\n]\nuser = "mario"\n'
    after = changed(before, {"host": 'b"\\', "allowed-programs": None, "tls": True, "scale": 1.5})
    assert after == '# mine\nhost = "b\\"\\\\"\nuser = "mario"\ntls = true\nscale = 1.5\n'


def test_a_list_or_a_text_of_several_lines_is_replaced_as_a_whole() -> None:
    program = 'allowed-programs = ["C:/c#/crm.exe", "a]b"] # two\n'
    more = 'host = """\nallowed-programs = 1\n"""\nuser = "mario"\n'
    assert changed(program + more, {"allowed-programs": ["x"]}) == f'allowed-programs = ["x"]\n{more}'
    assert changed(more + program, {"allowed-programs": None}) == more


def test_a_link_to_the_file_stays_one(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    link, file = tmp_path / "client.toml", tmp_path / "dotfiles/client.toml"
    link.symlink_to(file)
    save(link, {"user": "mario"})
    assert link.is_symlink()
    assert file.read_text() == 'user = "mario"\n'


def test_what_was_saved_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "new" / "client.toml"
    save(
        file,
        {"user": "müller", "theme": "dark", "history-days": 30, "allowed-programs": ["crm", "C:\\x.exe"]},
    )
    settings = load_settings({}, {}, file, tmp_path / "none").settings
    assert (settings.user, settings.theme, settings.history_days) == ("müller", "dark", 30)
    assert settings.allowed_programs == ("crm", "C:\\x.exe")
    assert file.stat().st_mode & 0o077 == 0


def test_locked_settings_are_named(tmp_path: Path) -> None:
    (tmp_path / "system.toml").write_text('[locked]\ntheme = "dark"\npause-lock = true\n')
    loaded = load_settings({}, {}, None, tmp_path / "system.toml")
    assert loaded.locked == {"theme", "pause-lock"}
    assert loaded.settings.pause_lock


def test_a_file_is_never_written_through_a_link_that_others_could_put_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (tmp_path / "mimeapps.astcti-new").symlink_to(precious)
    url_handler.register_url_handler()
    assert precious.read_text() == "mine"
    assert "astcti-client.desktop" in (tmp_path / "mimeapps.list").read_text()


@pytest.mark.parametrize("end", ["\u2028", "\u2029", "\x85"])
def test_a_text_with_another_end_of_line_in_it_is_left_whole(end: str) -> None:
    before = f'user = "ma{end}rio"\n# {end}\nport = 1\n'
    assert changed(before, {"port": 2}) == before.replace("port = 1", "port = 2")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x" * 100_000], ids=["not-utf-8", "too-long"])
def test_a_settings_file_that_went_bad_meanwhile_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "client.toml"
    file.write_bytes(content)
    with pytest.raises(OSError, match=r"UTF-8|longer"):
        save(file, {"user": "mario"})
    assert file.read_bytes() == content


def test_a_setting_is_saved_beside_a_number_that_python_cannot_read() -> None:
    before = f"port = {'1' * 5000}\n"
    assert changed(before, {"port": 5000}) == "port = 5000\n"


# --- history ---


def entry(at: float, number: str = "111", **more: object) -> HistoryEntry:
    return HistoryEntry(at, "missed", number, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("labels", "letters"),
    [
        (["Lunch", "Training"], "lt"),
        (["Lunch", "Late lunch", "Long call"], "lac"),
        (["Cronologia", "Colleghi", "Chiama"], "coh"),
        (["", "Same", "Same", "S", "1st"], " sa 1"),
        (["Überprüfung", "übrig"], "üb"),
    ],
)
def test_each_entry_of_a_menu_has_a_letter_of_its_own(labels: list[str], letters: str) -> None:
    places = menu_letters(labels)
    found = [" " if place < 0 else label[place].lower() for label, place in zip(labels, places, strict=True)]
    assert "".join(found) == letters


def test_the_client_starts_with_a_linux_desktop_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(url_handler, "own_command", lambda: ["/opt/my apps/100%/astcti-client-window"])
    autostart.start_with_pc(True)
    file = tmp_path / "autostart" / autostart.AUTOSTART_FILE
    assert 'Exec="/opt/my apps/100%%/astcti-client-window"\n' in file.read_text()
    written = file.stat().st_mtime_ns
    autostart.start_with_pc(True)
    assert file.stat().st_mtime_ns == written, "it is as it has to be"
    autostart.start_with_pc(False)
    autostart.start_with_pc(False)
    assert list(file.parent.iterdir()) == []


def test_places_of_windows_outlive_the_program_and_fit_the_screen_of_today(tmp_path: Path) -> None:
    file = tmp_path / "state/windows.json"
    WindowPlaces(file).keep("main", WindowPlace(430, 640, 2000, -50))
    place = WindowPlaces(file).of("main")
    assert place == WindowPlace(430, 640, 2000, -50)
    assert str(place.inside(WindowPlace(1366, 768, 0, 0))) == "430x640+936+0"
    assert str(place.inside(WindowPlace(400, 300, 0, 0))) == "400x300+0+0"
    assert place.inside(WindowPlace(3840, 2000, 0, -200)) == place
    assert WindowPlaces(file).of("history") is None


@pytest.mark.parametrize(
    "content", ["", "[]", "null", '{"main": "1x1"}', '{"main": 7}', "[" * 100_000, "\udc00"]
)
def test_a_file_of_places_that_makes_no_sense_is_as_none(tmp_path: Path, content: str) -> None:
    file = tmp_path / "windows.json"
    file.write_bytes(content.encode("utf-8", "surrogatepass"))
    assert WindowPlaces(file).of("main") is None


def test_places_that_cannot_be_written_last_as_long_as_the_program(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("no folder")
    places = WindowPlaces(tmp_path / "state/windows.json")
    places.keep("main", WindowPlace(1, 2, 3, 4))
    assert places.of("main") == WindowPlace(1, 2, 3, 4)


def test_missed_calls_count_until_they_were_seen_also_over_a_restart(tmp_path: Path) -> None:
    file, now = tmp_path / "history.sqlite", time.time()

    def opened() -> History:
        return History(file, 90)

    history = opened()
    for kind in ("missed", "answered", "missed"):
        history.add(HistoryEntry(now, kind, "1"))
    assert history.missed_unseen() == 2
    history.close()
    history = opened()
    assert history.missed_unseen() == 2
    history.seen()
    history.close()
    history = opened()
    assert history.missed_unseen() == 0
    history.add(HistoryEntry(now - 3600.0, "missed", "1"))  # told late: it began before the look
    assert history.missed_unseen() == 1
    history.clear()
    assert history.missed_unseen() == 0
    history.add(HistoryEntry(now, "missed", "1"))  # SQLite numbers it as it did the first one
    assert history.missed_unseen() == 1
    history.seen()
    history.forget_old(now + 100 * 86400.0)
    history.add(HistoryEntry(now, "missed", "1"))
    assert history.missed_unseen() == 1
    history.close()


def test_what_a_file_of_an_earlier_client_holds_is_not_counted(tmp_path: Path) -> None:
    file = tmp_path / "history.sqlite"
    history = History(file, 90)
    history.add(HistoryEntry(time.time(), "missed", "1"))
    history.close()
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.execute("DROP TABLE seen")
    history = History(file, 90)
    assert history.missed_unseen() == 0
    history.close()


def test_calls_are_kept_found_and_forgotten(tmp_path: Path) -> None:
    file = tmp_path / "data" / "history.sqlite"
    history = History(file, days=1)
    history.add(entry(1000.0, "111", name="Anna Müller", variables=(("calldata", "12345"),)))
    history.add(entry(90000.0, "222", name="100% _real_"))
    history.add(HistoryEntry(90001.0, "dialled", "333"))
    history.close()
    history = History(file, days=1)
    assert [entry.number for entry in history.find()] == ["333", "222", "111"]
    assert [entry.number for entry in history.find("müller 12345")] == ["111"]
    assert [entry.number for entry in history.find("% _r")] == ["222"]
    assert history.find("%%") == []
    assert [entry.number for entry in history.find(kind="dialled")] == ["333"]
    assert history.redial_list() == ["333"]
    history.forget_old(90002.0)
    assert [entry.number for entry in history.find()] == ["333", "222"]
    history.close()


def test_a_damaged_history_is_put_aside(tmp_path: Path) -> None:
    file = tmp_path / "history.sqlite"
    file.write_bytes(b"this is no database" * 100)
    history = History(file, days=1)
    assert history.find() == []
    history.close()
    assert file.with_suffix(".damaged").exists()


def test_a_history_of_the_version_before_is_taken_over(tmp_path: Path) -> None:
    file = tmp_path / "history.sqlite"
    history = History(file, days=1)
    history.add(entry(1000.0, "111"))
    history.close()
    with contextlib.closing(sqlite3.connect(file)) as older:
        older.executescript("ALTER TABLE calls DROP COLUMN why; PRAGMA user_version = 1;")
    history = History(file, days=1)
    number = history.add(entry(1001.0, "222"))
    history.explain(number, "caller-left 1.000 PJSIP/201")
    assert [(found.number, found.why) for found in history.find()] == [
        ("222", "caller-left 1.000 PJSIP/201"),
        ("111", ""),
    ]
    history.close()


def test_a_history_of_a_newer_version_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "history.sqlite"
    History(file, days=1).close()
    with contextlib.closing(sqlite3.connect(file)) as newer:
        newer.execute(f"PRAGMA user_version = {HISTORY_VERSION + 1}")
    before = file.read_bytes()
    with pytest.raises(NewerHistory, match="newer version"):
        History(file, days=1)
    assert file.read_bytes() == before
    assert [left.name for left in tmp_path.iterdir()] == ["history.sqlite"]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", "1e999"),
        ("at", "'yesterday'"),
        ("at", "-1"),
        ("kind", "'odd'"),
        ("number", "x'ff00'"),
        ("seconds", "x''"),
        ("variables", "'[1, 2]'"),
        ("variables", "'no JSON'"),
        ("variables", "5"),
        ("variables", f"'[[\"a\", {'1' * 5000}]]'"),
        ("variables", f"'{'[' * 5000}'"),
    ],
)
def test_what_is_no_call_in_a_damaged_history_hides_no_other_call(
    tmp_path: Path, column: str, value: str
) -> None:
    file = tmp_path / "history.sqlite"
    history = History(file, days=1)
    for number in ("111", "222"):
        history.add(entry(1000.0, number))
    history.close()
    with contextlib.closing(sqlite3.connect(file)) as other, other:
        other.execute(f"UPDATE calls SET {column} = {value} WHERE id = 1")
    history = History(file, days=1)
    assert [found.number for found in history.find()] == ["222"]
    history.redial_list()
    history.export(tmp_path / "calls.csv", history.find())
    history.close()


def test_text_that_is_not_utf_8_is_shown_as_far_as_it_is(tmp_path: Path) -> None:
    history = History(tmp_path / "history.sqlite", days=1)
    history.add(entry(1000.0, "111"))
    history.close()
    with contextlib.closing(sqlite3.connect(tmp_path / "history.sqlite")) as other, other:
        other.execute("UPDATE calls SET name = CAST(x'41ff' AS TEXT)")
    history = History(tmp_path / "history.sqlite", days=1)
    assert history.find()[0].name == "A\N{REPLACEMENT CHARACTER}"
    history.close()


def test_a_history_is_for_its_user_alone_from_the_first_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes = []
    connect = sqlite3.connect

    def watched(name: str, **options: Any) -> sqlite3.Connection:
        modes.append(Path(name).stat().st_mode & 0o777)
        return connect(name, **options)

    monkeypatch.setattr(sqlite3, "connect", watched)
    History(tmp_path / "history.sqlite", days=1).close()
    assert modes == [0o600]


def test_a_history_that_another_program_holds_is_not_put_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("astcti_client.ui.state.history.OPEN_TIME", 0.01)
    file = tmp_path / "history.sqlite"
    History(file, days=1).close()
    with contextlib.closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError):
            History(file, days=1)
    assert [file.name for file in tmp_path.iterdir()] == ["history.sqlite"]


def test_calls_wait_for_a_history_that_cannot_be_written_and_it_is_said_once(tmp_path: Path) -> None:
    file = tmp_path / "history.sqlite"
    history = History(file, days=1)
    with contextlib.closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM calls").fetchall()
        history.add(entry(1.0))
        assert "locked" in history.commit()
        assert history.commit() == ""
    assert history.commit() == ""
    history.close()
    again = History(file, days=100_000)
    assert len(again.find()) == 1
    again.close()


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_is_told_and_keeps_nobody_from_calls(tmp_path: Path) -> None:
    history = History(tmp_path / "history.sqlite", days=1)
    history.add(entry(1.0, name="x" * 10_000))
    assert "full" in history.commit()
    history.forget_old(0.0)
    history.close()


def test_a_shorter_time_counts_at_once_and_none_leaves_nothing_on_disk(tmp_path: Path) -> None:
    file = tmp_path / "history.sqlite"
    history = History(file, days=30)
    for day in (1, 10):
        history.add(entry(day * 86400.0, str(day)))
    history.keep_for(5, wall=11 * 86400.0)
    assert [entry.number for entry in history.find()] == ["10"]
    history.keep_for(0, wall=11 * 86400.0)
    assert not file.exists()
    history.forget_old(wall=20 * 86400.0)
    history.keep_for(30, wall=11 * 86400.0)
    history.close()
    again = History(file, days=30)
    assert [entry.number for entry in again.find()] == ["10"]
    again.close()


def test_with_no_days_nothing_is_written(tmp_path: Path) -> None:
    History(tmp_path / "history.sqlite", days=1).close()
    history = History(tmp_path / "history.sqlite", days=0)
    history.add(entry(1.0))
    assert len(history.find()) == 1
    history.close()
    assert list(tmp_path.iterdir()) == []


def test_the_export_holds_no_formula(tmp_path: Path) -> None:
    history = History(None, 0)
    history.add(entry(1.0, "+39055", name="=cmd|' /C calc'!A0"))
    history.export(tmp_path / "calls.csv", history.find())
    history.close()
    with (tmp_path / "calls.csv").open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["number"], row["name"]) == ("+39055", "'=cmd|' /C calc'!A0")


# --- the one client, on systems with pipes ---


def test_the_pipe_takes_numbers_and_lets_only_one_client_in(tmp_path: Path) -> None:
    name, dialled, shown = str(tmp_path / "pipe"), queue.SimpleQueue[str](), queue.SimpleQueue[str]()

    def dial(number: str, reply: DialReply) -> None:
        dialled.put(number)
        reply("")

    listener = HandOverPipe(name, tmp_path, dial, lambda: shown.put("x"))
    try:
        hand_over_by_pipe(name, tmp_path, "0551234567")
        assert dialled.get(timeout=PATIENCE) == "0551234567"
        hand_over_by_pipe(name, tmp_path, SHOW)
        assert shown.get(timeout=PATIENCE)
        with pytest.raises(NoHandOver, match="not a telephone number"):
            hand_over_by_pipe(name, tmp_path, "abc")
        with pytest.raises(OtherClient):
            HandOverPipe(name, tmp_path, lambda _number, _answer: None, None)
    finally:
        listener.close()
    with pytest.raises(NoHandOver, match="no client is running"):
        hand_over_by_pipe(name, tmp_path, "1")


# --- links ---


def test_links_are_registered_beside_what_others_registered_and_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    list_file = tmp_path / "mimeapps.list"
    list_file.write_text(
        "[Default Applications]\nx-scheme-handler/tel=other.desktop\ntext/html=web.desktop\n"
    )
    url_handler.register_url_handler()
    desktop_file = (tmp_path / "data/applications" / url_handler.DESKTOP_FILE).read_text()
    assert " dial %u" in desktop_file
    assert "x-scheme-handler/sip;" in desktop_file
    assert "x-scheme-handler/tel=astcti-client.desktop;other.desktop;" in list_file.read_text()
    url_handler.unregister_url_handler()
    assert not (tmp_path / "data/applications" / url_handler.DESKTOP_FILE).exists()
    assert "x-scheme-handler/tel=other.desktop;" in list_file.read_text()
    assert "text/html=web.desktop" in list_file.read_text()


@pytest.mark.parametrize(
    "text",
    [
        "# mine\n[Added Associations]\nx-scheme-handler/tel=a;\n\n[Default Applications]\n text/html = b\n",
        "no section\n",
        "[Default Applications]\n[x]\n%(y)s=%\n",
        "",
    ],
)
def test_all_other_lines_of_the_list_of_links_stay_as_they_are(text: str) -> None:
    registered = url_handler.with_defaults(text, add=True)
    assert registered.count("=astcti-client.desktop;\n") == len(url_handler.SCHEMES)
    assert url_handler.with_defaults(registered, add=True) == registered
    taken_back = url_handler.with_defaults(registered, add=False)
    assert taken_back.removesuffix("[Default Applications]\n") == text.removesuffix(
        "[Default Applications]\n"
    )


def test_a_list_of_links_in_another_encoding_is_left_alone_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "mimeapps.list").write_bytes(b"# \xe8\n")
    for change in (url_handler.register_url_handler, url_handler.unregister_url_handler):
        with pytest.raises(url_handler.CannotRegister, match="is not a text in UTF-8"):
            change()
    assert (tmp_path / "mimeapps.list").read_bytes() == b"# \xe8\n"


# --- the rest ---


@pytest.mark.parametrize("text", ["D", "F", "Shift+D", "Hyper+D", "Ctrl+", "Ctrl+Foo", "Ctrl+é", "F13", "F²"])
def test_a_hot_key_that_would_get_in_the_way_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"the key must be|at least one of Ctrl"):
        parse_combination(text)


def test_a_hot_key_is_read() -> None:
    assert parse_combination("Ctrl + Alt + d") == (frozenset({"control", "alt"}), "d")
    assert parse_combination("F9") == (frozenset(), "F9")


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_text_can_be_read_on_its_ground(palette: Palette) -> None:
    pairs = [
        (palette.text, palette.ground),
        (palette.text, palette.surface),
        (palette.muted, palette.ground),
        (palette.muted, palette.surface),
        (palette.on_accent, palette.accent),
        (palette.text, palette.warn_soft),
        (palette.text, palette.bad_soft),
        (palette.good, palette.surface),
        (palette.warn, palette.surface),
        (palette.ring, palette.surface),
        (palette.bad, palette.surface),
        (palette.text, palette.raised),
    ]
    for ink, ground in pairs:
        assert contrast(ink, ground) >= 4.5, (ink, ground)


def contrast(first: str, second: str) -> float:
    """As the accessibility guidelines of the web count it."""

    def light(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    lights = sorted((light(first), light(second)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def test_every_state_has_an_icon_of_its_own() -> None:
    drawn = {icons.tray_icon(state, 24).tobytes() for state in icons.TRAY_COLOURS}
    assert len(drawn) == 6
    for name in icon_shapes.SHAPES:
        assert icons.icon(name, 24, "#000000").getbbox() is not None


def test_without_a_keyring_nothing_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    import keyring
    from keyring.backends import fail

    monkeypatch.setattr(keyring, "get_keyring", fail.Keyring)
    system = SystemKeyring()
    assert not system.can_remember()
    assert system.remembered("cti", "mario") is None


def test_without_a_display_the_client_points_at_headless(environ: dict[str, str]) -> None:
    environ.pop("DISPLAY", None)
    command = [sys.executable, "-m", "astcti_client"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 1
    assert "astcti-client --headless" in done.stderr
