"""XML and SQLite hold the same configuration, and give it back as it was."""

import contextlib
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

import schemas
from schemas import passwords
from schemas.configuration import sqlite_form, xml_form
from schemas.configuration.checks import check_configuration, warn_of_configuration
from schemas.configuration.model import AnswerWay, Binding, Configuration, Operator, Seat, Service, Trigger
from schemas.problems import ConfigurationError

WORD = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
TEXT = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Cn", "Zl", "Zp"], exclude_characters="\ufffe\uffff"),
    max_size=20,
).map(str.strip)
NAME = TEXT.filter(bool)
ANSWER: st.SearchStrategy[AnswerWay] = st.sampled_from(["none", "notify"])
URL = st.sampled_from(
    ["https://crm.example/?a={CALLERID}&b=<c>", "http://h/", "https://h/{EVENT}/{{é"]
).filter(lambda url: "<" not in url)
TRIGGER = st.one_of(
    st.builds(
        Trigger,
        st.sampled_from(["browser", "internal-browser"]),
        st.sampled_from(["answer", "ring", "hangup"]),
        st.sampled_from(["any", "linux"]),
        url=URL,
        again=st.booleans(),
    ),
    st.builds(
        Trigger,
        st.just("application"),
        os=st.sampled_from(["any", "windows", "macos"]),
        application=st.sampled_from(["/usr/bin/crm", "C:\\crm\\crm.exe", "a & <b>"]),
        parameters=st.sampled_from(["", '--n "{CALLERIDNAME}"', "a\n  b {{"]),
    ),
)


@st.composite
def configurations(draw: st.DrawFn) -> Configuration:
    """Any valid configuration, small."""
    seats = []
    for number in range(draw(st.integers(0, 3))):
        extension = f"PJSIP/{200 + number}"
        queue = draw(st.sampled_from([extension, f"Local/{200 + number}@agents/n"]))
        state = draw(st.sampled_from([extension, f"hint:{number}@phones"]))
        state = "" if queue == extension == state else state
        address = draw(st.sampled_from(["", "192.0.2.1", "2001:db8::1"]))
        seats.append(
            Seat(f"00:11:22:33:44:{number:02x}", extension, queue, state, address, draw(TEXT), draw(ANSWER))
        )
    seat = st.sampled_from(["", *(seat.mac for seat in seats)])
    users = draw(st.lists(WORD, max_size=3, unique=True))
    password = st.sampled_from(["md5:" + "aF" * 16, "scrypt:14:8:1:c2FsdHNhbHQ=:MDEyMzQ1Njc4OTAxMjM0NQ=="])
    keys = st.sampled_from(["", "200000:c2FsdHNhbHRzYWx0:" + ":".join(["A" * 42 + "8="] * 2)])
    operators = [
        Operator(
            user, draw(NAME), draw(password), draw(seat), draw(st.booleans()), draw(st.booleans()), draw(keys)
        )
        for user in users
    ]
    services = []
    for context in draw(st.lists(WORD, max_size=3, unique=True)):
        inbound = draw(st.booleans())
        queue = draw(WORD) if inbound else ""
        penalty = st.integers(0, 2147483647) if inbound else st.just(0)
        bound = draw(st.lists(st.sampled_from(users), unique=True)) if users else []
        services.append(
            Service(
                draw(NAME),
                context,
                "inbound" if inbound else "outbound",
                inbound and draw(st.booleans()),
                queue,
                draw(st.booleans()),
                tuple(draw(st.lists(WORD, max_size=2, unique=True))),
                tuple(draw(st.lists(TRIGGER, max_size=2))),
                tuple(Binding(user, draw(penalty)) for user in bound),
                draw(st.booleans()),
            )
        )
    reasons = draw(st.lists(NAME.filter(lambda text: text.upper() != "END"), max_size=2, unique=True))
    return Configuration(tuple(services), tuple(seats), tuple(operators), tuple(reasons))


@given(configurations())
@settings(max_examples=60)
def test_both_forms_give_back_what_was_written(configuration: Configuration) -> None:
    assert check_configuration(configuration) == []
    data = xml_form.dump_xml(configuration)
    assert xml_form.parse_xml(data, "any.xml").configuration == configuration
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "any?#%20.sqlite"
        sqlite_form.dump_sqlite(configuration, path)
        assert sqlite_form.load_sqlite(path) == configuration
        assert [entry.name for entry in Path(directory).iterdir()] == [path.name]


@given(configurations())
@settings(max_examples=30)
def test_what_is_written_as_xml_is_valid_by_the_schema_alone(configuration: Configuration) -> None:
    schema = etree.XMLSchema(file=str(Path(schemas.__file__).with_name("configuration.xsd")))
    schema.assertValid(etree.fromstring(xml_form.dump_xml(configuration)))


@given(configurations(), st.floats(0, 1, exclude_max=True))
@settings(max_examples=40)
def test_half_a_file_is_refused_in_either_form(configuration: Configuration, part: float) -> None:
    data = xml_form.dump_xml(configuration).rstrip()
    with pytest.raises(ConfigurationError):
        xml_form.parse_xml(data[: int(len(data) * part)], "half.xml")
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "whole.sqlite"
        sqlite_form.dump_sqlite(configuration, path)
        half = Path(directory) / "half.sqlite"
        half.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
        with pytest.raises(ConfigurationError):
            sqlite_form.load_sqlite(half)


SMALL = Configuration(
    services=(
        Service(
            "Demo",
            "demo",
            "inbound",
            True,
            "astcti",
            True,
            ("calldata",),
            (Trigger("browser", url="https://crm.example/{CALLDATA}"),),
            (Binding("mario", 1),),
        ),
    ),
    seats=(Seat("00:11:22:33:44:55", "PJSIP/201", "PJSIP/201"),),
    operators=(Operator("mario", "Mario Rossi", "md5:" + "0" * 32, "00:11:22:33:44:55"),),
    pause_reasons=("Lunch",),
)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A small valid configuration."""
    path = tmp_path / "one.sqlite"
    sqlite_form.dump_sqlite(SMALL, path)
    return path


def change(path: Path, *statements: str) -> None:
    """Spoil a database as no Configurator would."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        for statement in statements:
            connection.execute(statement)


@pytest.mark.parametrize(
    ("statement", "line", "words"),
    [
        ("UPDATE services SET type = 'both'", 1, "table services: type has to be one of inbound, outbound"),
        ("UPDATE services SET enabled = 2", 1, "table services: enabled has to be 0 or 1"),
        ("UPDATE services SET context = ''", 1, "table services: the service's context is empty"),
        ("UPDATE services_triggers SET url = 'ftp://x'", 1, "table services_triggers: the URL has to begin"),
        ("UPDATE services_triggers SET moment = 'later'", 1, "moment has to be one of answer, ring, hangup"),
        ("UPDATE services_triggers SET again = 'yes'", 1, "again has to be 0 or 1, not 'yes'"),
        ("ALTER TABLE services_triggers DROP COLUMN url", 0, "table services_triggers lacks url"),
        ("UPDATE services_operators SET operator_id = 9", 1, "operator_id 9 is no row of table operators"),
        ("UPDATE services_operators SET service_id = 9", 1, "service_id 9 is no row of table services"),
        ("UPDATE services_operators SET penalty = 'low'", 1, "penalty has to be a whole number"),
        ("UPDATE services_operators SET penalty = -1", 1, "penalty has to be a whole number"),
        ("UPDATE operators SET seat_id = 7", 1, "seat_id 7 is no row of table seats"),
        ("UPDATE operators SET username = 'mario rossi'", 1, "the user name contains a blank"),
        ("UPDATE operators SET scram = '200000:x'", 1, "scram is not usable: the form is iterations:salt:"),
        ("INSERT INTO seats(id, mac, extension) VALUES (5, '00-11-22-33-44-55', 'PJSIP/9')", 5, "in row 1"),
        ("DROP TABLE pause_reasons", 0, "table pause_reasons is missing"),
        ("ALTER TABLE seats DROP COLUMN address", 0, "table seats lacks address"),
        ("PRAGMA user_version = 2", 0, "user_version is 2"),
    ],
)
def test_a_wrong_row_is_named_with_its_table(database: Path, statement: str, line: int, words: str) -> None:
    change(database, statement)
    with pytest.raises(ConfigurationError) as refused:
        sqlite_form.load_sqlite(database)
    assert [p.line for p in refused.value.problems if words in p.message] == [line], refused.value


def test_every_wrong_row_is_reported_at_once(database: Path) -> None:
    change(database, "UPDATE services SET context = 'a b'", "UPDATE operators SET password = 'plain'")
    with pytest.raises(ConfigurationError) as refused:
        sqlite_form.load_sqlite(database)
    assert len(refused.value.problems) == 2


def test_nulls_are_defaults_and_further_columns_do_not_disturb(database: Path) -> None:
    change(
        database,
        "ALTER TABLE services_operators ADD COLUMN note TEXT",
        "CREATE TABLE seen(id INTEGER PRIMARY KEY)",
        "DROP TABLE pause_reasons",
        "CREATE TABLE pause_reasons(id INTEGER PRIMARY KEY, name TEXT, position INTEGER)",
    )
    assert sqlite_form.load_sqlite(database).services == SMALL.services


def test_a_database_of_an_earlier_configurator_is_read(database: Path) -> None:
    change(database, "ALTER TABLE services_triggers DROP COLUMN again")
    change(database, "ALTER TABLE operators DROP COLUMN scram")
    change(database, "ALTER TABLE services DROP COLUMN may_leave")
    change(database, "ALTER TABLE seats DROP COLUMN answer")
    read = sqlite_form.read_sqlite(database)
    assert (read.configuration, read.warnings) == (SMALL, ())


def test_keys_that_were_made_with_another_salt_than_the_password_are_warned_about() -> None:
    forms, other = passwords.make_stored_forms("old"), passwords.make_stored_forms("new")
    for scram, warned in ((forms.scram, 0), (other.scram, 1), ("", 0)):
        operator = Operator("mario", "Mario Rossi", forms.password, scram=scram)
        warnings = warn_of_configuration(Configuration(operators=(operator,)))
        assert ["another salt" in warning.message for warning in warnings] == [True] * warned


def test_a_database_in_wal_mode_is_refused(database: Path) -> None:
    change(database, "PRAGMA journal_mode = WAL")
    with pytest.raises(ConfigurationError, match="journal_mode=DELETE"):
        sqlite_form.load_sqlite(database)


def test_a_database_that_is_still_written_is_refused(database: Path) -> None:
    database.with_name("one.sqlite-journal").write_bytes(b"hot")
    with pytest.raises(ConfigurationError, match="still writes it"):
        sqlite_form.load_sqlite(database)


def test_a_damaged_database_is_refused(database: Path) -> None:
    data = bytearray(database.read_bytes())
    data[4096 : 4096 + 64] = b"\xff" * 64
    database.write_bytes(data)
    with pytest.raises(ConfigurationError, match=r"damaged|cannot be read"):
        sqlite_form.load_sqlite(database)


@given(st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_no_damage_does_more_than_refuse_the_file(random) -> None:
    xml = bytearray(xml_form.dump_xml(SMALL))
    for _ in range(random.randint(1, 5)):
        xml[random.randrange(len(xml))] = random.randrange(256)
    with contextlib.suppress(ConfigurationError):
        xml_form.parse_xml(bytes(xml), "damaged.xml")
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "damaged.sqlite"
        sqlite_form.dump_sqlite(SMALL, path)
        database = bytearray(path.read_bytes())
        for _ in range(random.choice((1, 3, 20))):
            database[random.randrange(len(database))] = random.randrange(256)
        path.write_bytes(database)
        with contextlib.suppress(ConfigurationError):
            sqlite_form.load_sqlite(path)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("CREATE TABLE Publication(id INTEGER PRIMARY KEY, replaces TEXT);"
         "INSERT INTO Publication VALUES(1, 'x');", "64 hexadecimal digits"),
        ("CREATE TABLE publication(replaces TEXT PRIMARY KEY) WITHOUT ROWID;", "cannot be read"),
        ("INSERT INTO pause_reasons(name) VALUES(zeroblob(2000000));", "too big"),
    ],
)  # fmt: skip
def test_a_database_that_nobody_should_publish_is_refused(database: Path, script: str, message: str) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(script)
    with pytest.raises(ConfigurationError, match=message):
        sqlite_form.load_sqlite(database)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.sqlite"
    path.write_text("<configuration/>")
    with pytest.raises(ConfigurationError, match="no SQLite database"):
        sqlite_form.load_sqlite(path)


def test_reading_leaves_a_database_and_its_directory_alone(database: Path) -> None:
    before = database.read_bytes(), database.stat().st_mtime_ns
    sqlite_form.load_sqlite(database)
    assert (database.read_bytes(), database.stat().st_mtime_ns) == before
    assert [path.name for path in database.parent.iterdir()] == ["one.sqlite"]


def test_a_published_database_is_never_overwritten(database: Path) -> None:
    with pytest.raises(FileExistsError):
        sqlite_form.dump_sqlite(SMALL, database)
    assert sqlite_form.load_sqlite(database) == SMALL


def test_triggers_keep_their_order_by_position(tmp_path: Path) -> None:
    first, second = (Trigger("browser", url=f"https://h/{number}") for number in (1, 2))
    path = tmp_path / "two.sqlite"
    service = Service("Demo", "demo", "inbound", triggers=(first, second))
    sqlite_form.dump_sqlite(Configuration(services=(service,)), path)
    change(path, "UPDATE services_triggers SET position = 2 - position")
    assert sqlite_form.load_sqlite(path).services[0].triggers == (second, first)


REPLACED = "0123456789abcdef" * 4


def test_both_forms_say_which_file_they_replace(tmp_path: Path) -> None:
    sqlite_form.dump_sqlite(Configuration(), tmp_path / "a.sqlite", REPLACED)
    assert sqlite_form.read_sqlite(tmp_path / "a.sqlite").replaces == REPLACED
    written = xml_form.dump_xml(Configuration(), REPLACED)
    assert xml_form.parse_xml(written, "a.xml").replaces == REPLACED
    upper = f'<configuration replaces=" {REPLACED.upper()} "/>'
    assert xml_form.parse_xml(upper.encode(), "a.xml").replaces == REPLACED
    sqlite_form.dump_sqlite(Configuration(), tmp_path / "b.sqlite")
    assert sqlite_form.read_sqlite(tmp_path / "b.sqlite").replaces == ""
    assert xml_form.parse_xml(xml_form.dump_xml(Configuration()), "b.xml").replaces == ""


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE publication SET replaces = 'ab'", "table publication: replaces has to be 64 hexadecimal"),
        ("UPDATE publication SET replaces = x'ff'", "table publication: replaces has to be 64 hexadecimal"),
        ("INSERT INTO publication(replaces) VALUES ('')", "table publication: it has one row at most"),
    ],
)
def test_what_a_database_says_it_replaces_has_to_be_a_digest(
    tmp_path: Path, statement: str, words: str
) -> None:
    path = tmp_path / "a.sqlite"
    sqlite_form.dump_sqlite(Configuration(), path, REPLACED)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(statement)
    with pytest.raises(ConfigurationError, match=words):
        sqlite_form.load_sqlite(path)


def test_a_view_instead_of_the_table_is_not_looked_into(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    sqlite_form.dump_sqlite(Configuration(), path)
    endless = (
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) AS replaces FROM n"
    )
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"CREATE VIEW publication AS {endless}")
    assert sqlite_form.read_sqlite(path).replaces == ""


def test_the_xml_form_refuses_what_is_no_digest() -> None:
    with pytest.raises(ConfigurationError, match="64 hexadecimal digits, as sha256sum prints them"):
        xml_form.parse_xml(b'<configuration replaces="ab"/>', "a.xml")
