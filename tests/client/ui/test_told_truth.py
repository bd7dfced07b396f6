"""What the agent must know stands where the agent looks: no calls come, a pop-up failed, the way is lost."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable

import pytest

from astcti_client.net.messages import ConnectionState, Phase
from astcti_client.ui.state.lasting_messages import MOST_KEPT, LastingMessage, LastingMessages
from astcti_client.ui.text import words
from astcti_client.ui.widgets.elided_label import ElidedLabel
from tests.client.ui.tools.desktop import Desktop
from tests.client.ui.tools.widgets import button, click, inside, press, texts
from tests.client.ui.tools.window_test_bed import WindowTestBed, event
from tests.fake.cti_server import CtiServer

Make = Callable[..., WindowTestBed]
PROGRAM = '<trigger type="application" os="any"><application>no-such-program</application></trigger>'


def labels(widget: tk.Misc) -> list[ElidedLabel]:
    return [part for part in inside(widget) if isinstance(part, ElidedLabel) and part.winfo_ismapped()]


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (("200 astcti", "901 PBX DOWN"), "Not receiving calls: the telephone system is not available"),
        (("200 astcti", "310 IN Lunch"), "Not receiving calls: in pause (Lunch)"),
        (("210 astcti",), "Not receiving calls: you are in none of your queues"),
        (
            ("211 KO astcti No such queue",),
            "Not receiving calls: your queues cannot be joined (No such queue)",
        ),
        ((), "Not receiving calls: joining the queues"),
    ],
)
def test_header_tray_and_queues_say_the_same_sentence_and_nothing_is_green(
    open_client: Make, lines: tuple[str, ...], sentence: str
) -> None:
    bed = open_client()
    bed.log_in("PJSIP/201 Mario Rossi", *lines)
    main = bed.app.windows.main
    bed.pump(lambda: any(label.words.strip() == sentence for label in labels(main)), texts(main))
    assert bed.app.tray.content.text.startswith(f"AsteriskCTI: {sentence}")
    assert bed.app.tray.content.state != "available"
    marks = [label for label in labels(main) if label.words.strip() == "astcti"]
    assert all(sentence in mark.beside for mark in marks)
    green = {str(bed.app.windows.look.disc(9, bed.app.windows.look.palette.good, 5))}
    green |= {
        str(bed.app.windows.look.icon(name, size, bed.app.windows.look.palette.good, width))
        for name, size, width in (("check", 20, 2.0), ("full", 12, 2.6))
    }
    shown = {str(picture) for label in labels(main) for picture in label.cget("image") or ()}
    assert not shown & green
    bed.peer.say("902 PBX UP", "200 astcti", "310 OUT")
    bed.pump(lambda: bed.app.tray.content.state == "available", bed.app.tray.content.text)
    shown = {str(picture) for label in labels(main) for picture in label.cget("image") or ()}
    assert shown & green
    assert "Not receiving calls" not in texts(main)


def test_a_pop_up_that_failed_is_said_in_the_corner_while_the_window_is_in_the_tray(
    open_client: Make,
) -> None:
    bed = open_client()
    peer = bed.log_in()
    bed.root.withdraw()
    peer.say(event("Link", "7.1", trigger=PROGRAM))
    notices = bed.app.windows.notices
    bed.pump(lambda: notices.message is not None and notices.message.winfo_viewable(), "no notice")
    assert notices.message is not None
    said = "The program for the call with Anna Bianchi was not started: it is not on this PC."
    assert said in texts(notices.message)
    bed.app.windows.show()
    bed.pump(lambda: notices.message is None, "the notice stays though the window is there")
    main = bed.app.windows.main
    bed.pump(lambda: said in texts(main), texts(main))
    assert "there is no such program" not in texts(main)
    press(main, "Details")
    bed.pump(lambda: "there is no such program" in " ".join(label.words for label in labels(main)))
    press(main, "Copy")
    assert "no-such-program: there is no such program" in bed.root.clipboard_get()
    put_away(bed, said)
    assert said not in texts(main)


def test_a_notice_of_what_failed_can_be_put_away_and_is_gone_from_the_window_too(
    open_client: Make, desktop: Desktop
) -> None:
    bed = open_client()
    peer = bed.log_in()
    bed.root.withdraw()
    peer.say(event("Link", "7.1", trigger=PROGRAM))
    notices = bed.app.windows.notices
    bed.pump(lambda: notices.message is not None and notices.message.winfo_viewable())
    bed.turn()  # until it is where it belongs
    assert notices.message is not None
    (cross,) = [part for part in inside(notices.message) if part.winfo_class() == "TButton"]
    click(desktop, cross)
    bed.pump(lambda: notices.message is None)
    bed.app.windows.show()
    bed.turn()
    assert "was not started" not in texts(bed.app.windows.main)


def put_away(bed: WindowTestBed, text: str) -> None:
    (banner,) = [label.master for label in labels(bed.app.windows.main) if text in label.words]
    cross = next(part for part in banner.winfo_children() if part.winfo_class() == "TButton")
    bed.root.nametowidget(str(cross)).invoke()
    bed.turn()


def test_what_failed_stays_through_another_look_and_goes_with_the_session(open_client: Make) -> None:
    bed = open_client()
    peer = bed.log_in()
    peer.say(event("Link", "7.1", trigger=PROGRAM))
    bed.pump(lambda: "was not started" in texts(bed.app.windows.main))
    assert bed.app.change_settings({"theme": "dark"}) == ""
    bed.pump(lambda: "was not started" in texts(bed.app.windows.main))
    bed.app.sign_in.log_out()
    bed.turn()
    assert "was not started" not in texts(bed.app.windows.main)


def test_messages_are_bounded_and_one_topic_has_one() -> None:
    kept = LastingMessages()
    for number in range(MOST_KEPT + 2):
        kept.add(LastingMessage(str(number), "old"))
    kept.add(LastingMessage("3", "new"))
    assert [message.topic for message in kept.all] == ["2", "4", "5", "3"]
    assert kept.all[-1].text == "new"
    kept.put_away("4")
    kept.put_away("unknown")
    assert [message.topic for message in kept.all] == ["2", "5", "3"]


def test_a_pause_that_the_server_lost_is_asked_for_again_and_said(
    open_client: Make, server: CtiServer
) -> None:
    bed = open_client()
    peer = bed.log_in("PJSIP/201 Mario Rossi", "310 IN Lunch", "200 astcti")
    main = bed.app.windows.main
    peer.close()
    bed.pump(lambda: not bed.app.model.up)
    assert "In pause: Lunch" in texts(main), "the reason stays in view"
    again = server.accept()
    again.log_in(who="PJSIP/201 Mario Rossi")
    again.say("310 OUT", "200 astcti")
    bed.pump(again.would_hear, "the pause is not asked for again")
    assert again.hear() == "PAUSE IN Lunch"
    assert bed.app.tray.content.state != "offline" or not bed.app.model.up
    again.say("301 PAUSE PENDING", "300 OK")
    bed.pump(lambda: bed.app.model.pause.phase == "in")
    bed.pump(lambda: "You were in Lunch; the connection was lost." in texts(main), texts(main))
    again.say("310 OUT")
    bed.pump(lambda: "You were in Lunch" not in texts(main), "of no interest any more")


def test_a_lost_connection_counts_down_and_can_be_tried_at_once(
    open_client: Make, desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    bed = open_client()
    bed.log_in("PJSIP/201 Mario Rossi", "310 IN Lunch", "200 astcti")
    main, tried = bed.app.windows.main, []
    monkeypatch.setattr(bed.app.session, "try_now", lambda: tried.append(True))
    bed.tell(ConnectionState("waiting", "the server closed the connection", retry_in=9.0))
    bed.pump(lambda: "Next attempt in " in texts(main), texts(main))
    now = button(main, "Try now")
    assert "In pause: Lunch" in texts(main)
    phases: tuple[Phase, ...] = ("connecting", "waiting", "connecting", "logging-in")
    for phase in phases:
        bed.tell(ConnectionState(phase, "the server closed the connection", retry_in=0.3))
        bed.turn()
        assert bed.app.model.connection.phase == phase
        assert now.winfo_ismapped(), "what is about to be pressed stays where it is"
    bed.pump(lambda: "Trying again …" in texts(main), texts(main))
    click(desktop, now)
    bed.pump(lambda: tried == [True], "the click is not heard")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3.0, "Trying again …"),
        (0.4, "Trying again …"),
        (1.2, "Next attempt in 2 seconds"),
        (9.0, "Next attempt in 9 seconds"),
    ],
)
def test_the_seconds_that_are_left_are_told(seconds: float, text: str) -> None:
    assert words.next_attempt(seconds) == text
