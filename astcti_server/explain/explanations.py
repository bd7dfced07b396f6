"""Answers why calls popped up or not, from the trails and marks of a moment. No I/O; any thread.

What is asked for is found among the trails as they are kept, as bytes: only those that may be meant are read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from math import inf
from typing import Final, NamedTuple

from astcti_server.explain.caller_verdict import caller_verdict, near_seat, rang, unknown_verdict
from astcti_server.explain.heard_names import HeardNames, nothing_kept
from astcti_server.explain.leg_case import LegCase, Related
from astcti_server.explain.leg_verdict import leg_verdict
from astcti_server.explain.oddities import oddities
from astcti_server.explain.packed_trails import unpack
from astcti_server.explain.server_marks import MarksView
from astcti_server.explain.story import story_of, story_of_caller
from astcti_server.explain.trail import PartyRecord, related_to
from schemas.explanation.codes import TrailStep, Verdict
from schemas.explanation.lines import ExplanationLine, verdict
from schemas.phone_numbers import digits_of, end_alike, ending, is_number, written_anyhow

LAST: Final = "last"
"""Asks for the call at a seat's phone that began last; without any, for the caller who came last."""
_SHORTEST_NUMBER: Final = 3
_NEED_BYTES: Final = frozenset(
    {Verdict.NO_SERVICE.value, Verdict.VARIABLE_NEVER_SET.value, Verdict.NO_CALL.value}
)

NamesHeard = Callable[[frozenset[str]], HeardNames | None]
"""Looks through what Asterisk sent for these uniqueids; None where that is not kept."""


class Explanation(NamedTuple):
    """The answer for one phone in one call."""

    phone: str
    uniqueid: str
    """Of that phone's leg; empty if no call was found."""
    verdict: ExplanationLine
    story: tuple[ExplanationLine, ...] = ()
    odd: tuple[ExplanationLine, ...] = ()

    def lines(self) -> list[ExplanationLine]:
        """The verdict, then the story in order, then what else is odd."""
        return [self.verdict, *self.story, *self.odd]


class CallsOfAMoment:
    """All trails and marks of a moment. Never changes, though what was read once is remembered."""

    def __init__(
        self,
        kept: Mapping[str, bytes],
        running: Iterable[PartyRecord],
        view: MarksView,
        names_heard: NamesHeard = nothing_kept,
    ) -> None:
        """`kept`: what `packed_trails.pack` made, by uniqueid, the oldest first."""
        self._kept = kept
        self._running = {record.facts.uniqueid: record for record in running}
        self._view = view
        self._names_heard = names_heard
        self._read: dict[bytes, PartyRecord] = {}

    def explain(self, what: str) -> list[Explanation]:
        """Explain what a person names: an id, a number, an extension, a user name, or `LAST`.

        The answers are of one call, one for each seat's phone that took part, or only for the phone or the
        operator that was named. Of several calls the latest is meant. Always at least one answer.
        """
        subject = self._subject(what)
        lost = self._lost_by_take_over(what, subject)
        if lost is not None:
            return [lost]
        if subject is None:
            first, odd = unknown_verdict(what, self._view)
            return [Explanation(what, "", first, odd=tuple(odd))]
        legs = self._legs_of(subject, what)
        answers = [self._of_leg(leg) for leg in legs] if legs else [self._of_caller(subject)]
        others = self._others_ending_as(what, subject)
        return (
            [_with_other_numbers(answer, what, subject, others) for answer in answers] if others else answers
        )

    def explain_all(self) -> list[Explanation]:
        """Every leg of a seat's phone, as one began after the other; then callers who reached none."""
        records = [*map(self._unpacked, self._kept.values()), *self._running.values()]
        legs = [record for record in records if record.facts.extension]
        reached = {uniqueid for leg in legs for uniqueid in related_to(leg)}
        answers = [self._of_leg(leg) for leg in sorted(legs, key=lambda leg: leg.began)]
        answers += [
            self._of_caller(record)
            for record in records
            if not record.facts.extension
            and record.facts.uniqueid not in reached
            and not record.facts.device.startswith("Local/")
        ]
        return answers

    def explain_leg(self, extension: str, uniqueid: str) -> Explanation | None:
        """The answer for a seat's own leg; None if it is not known as that seat's."""
        found = self._party(uniqueid)
        if found is None or found.facts.extension != extension:
            return None
        return self._of_leg(found)

    # -- which call ----------------------------------------------------------------------------------------

    def _subject(self, what: str) -> PartyRecord | None:
        if what == LAST:
            return self._last(at_a_seat=True) or self._last(at_a_seat=False)
        seat = self._view.extension_of(what)
        phone = seat or what
        found = list(self._having(what))
        if phone.rpartition("/")[2] != what:  # an operator's phone, and whatever is called nearly so
            found += self._having(phone.rpartition("/")[2])
        for fitting in (
            [record for record in found if _by_id(record, what)],
            [record for record in found if _by_phone(record, what, seat)],
            [record for record in found if _by_number(record, what)],
            [record for record in found if rang(record, phone, self._view)],
            list(self._ending_as(what)),
        ):
            if fitting:
                return max(fitting, key=lambda record: record.began)
        near = near_seat(what, self._view)
        return self._subject(near) if near else None

    def _ending_as(self, what: str) -> Iterator[PartyRecord]:
        """Those whose number ends as what is named, or the other way round: one may have a country's code."""
        end = ending(what) if is_number(what) else ""
        if end:
            yield from (record for record in self._having(end) if end_alike(record.facts.number, what))

    def _others_ending_as(self, what: str, subject: PartyRecord) -> list[str]:
        """Other numbers that end as what is named; none if the subject was not found by its end."""
        number = digits_of(subject.facts.number)
        if digits_of(what) == number or not end_alike(number, what):
            return []
        found = {digits_of(record.facts.number): record.facts.number for record in self._ending_as(what)}
        return sorted(shown for digits, shown in found.items() if digits != number)

    def _lost_by_take_over(self, what: str, subject: PartyRecord | None) -> Explanation | None:
        """The answer for an operator whose session was taken over while a phone rang or talked there."""
        for mark in reversed(self._view.marks):
            if mark.step is not TrailStep.TAKEN_OVER or mark.arguments[0] != what:
                continue
            operator, extension, other = mark.arguments
            for leg in self._having(extension):
                own = leg.facts.extension == extension and leg.began <= mark.at <= (leg.ended or inf)
                if own and leg.facts.operator != what and (subject is None or subject.began < leg.began):
                    first = verdict(Verdict.TAKEN_OVER, mark.at, extension, operator, other)
                    return self._of_leg(leg)._replace(verdict=first)
        return None

    def _last(self, *, at_a_seat: bool) -> PartyRecord | None:
        """The party that began last: a seat's phone, or another one outside of it."""

        def fits(record: PartyRecord) -> bool:
            facts = record.facts
            return bool(facts.extension) if at_a_seat else not facts.device.startswith("Local/")

        latest = max(filter(fits, self._running.values()), key=lambda record: record.began, default=None)
        for packed in reversed(tuple(self._kept.values())):
            record = self._unpacked(packed)
            if latest is not None and record.ended < latest.began:  # so did all that ended before
                break
            if fits(record) and (latest is None or record.began > latest.began):
                latest = record
        return latest

    def _legs_of(self, subject: PartyRecord, what: str) -> list[PartyRecord]:
        """The seats' legs to explain: the one that was named, or every one of the call."""
        if subject.facts.extension and what != LAST and not _is_call(subject, what):
            return [subject]
        found = {subject.facts.uniqueid: subject}
        for record in self._having(subject.facts.uniqueid):
            if subject.facts.uniqueid in related_to(record):
                found[record.facts.uniqueid] = record
        if subject.facts.linkedid:
            for record in self._having(subject.facts.linkedid):
                if record.facts.linkedid == subject.facts.linkedid:
                    found[record.facts.uniqueid] = record
        legs = [record for record in found.values() if record.facts.extension]
        return sorted(legs, key=lambda record: record.began)

    def _having(self, text: str) -> Iterator[PartyRecord]:
        """Those in which a text stands somewhere; all that may be meant, and a few more."""
        if not is_number(text):
            needle = text.encode("utf-8", "surrogateescape")
            found = (packed for packed in self._kept.values() if needle in packed)
        else:  # a phone number is written in many ways
            stands = re.compile(written_anyhow(text)).search
            found = (packed for packed in self._kept.values() if stands(packed))
        yield from map(self._unpacked, found)
        yield from self._running.values()

    def _party(self, uniqueid: str) -> PartyRecord | None:
        if uniqueid in self._running:
            return self._running[uniqueid]
        packed = self._kept.get(uniqueid)
        return self._unpacked(packed) if packed is not None else None

    def _unpacked(self, packed: bytes) -> PartyRecord:
        if packed not in self._read:
            self._read[packed] = unpack(packed)
        return self._read[packed]

    # -- its answer ----------------------------------------------------------------------------------------

    def _of_leg(self, leg: PartyRecord) -> Explanation:
        related = self._related(leg)
        case = LegCase(leg, related, self._view)
        first, odd = _judged(case)
        if _NEED_BYTES & {first.code, *(line.code for line in odd)}:
            heard = self._names_heard(case.dialplan_ids)
            if heard is None:
                odd.append(verdict(Verdict.BYTES_NOT_KEPT, 0.0, case.phone))
            else:
                case = case.having_heard(heard)
                first, odd = _judged(case)
        return Explanation(case.phone, leg.facts.uniqueid, first, tuple(story_of(case)), tuple(odd))

    def _of_caller(self, record: PartyRecord) -> Explanation:
        first = caller_verdict(record, self._view)
        told = story_of_caller(record, self._view)
        return Explanation(record.facts.device, record.facts.uniqueid, first, tuple(told))

    def _related(self, leg: PartyRecord) -> Related:
        """Whom the leg's trail names, and whom its caller's trail names in turn."""
        found: dict[str, PartyRecord] = {}
        for uniqueid in related_to(leg):
            record = self._party(uniqueid)
            if record is not None:
                found[uniqueid] = record
        return found


def _judged(case: LegCase) -> tuple[ExplanationLine, list[ExplanationLine]]:
    first = leg_verdict(case)
    return first, oddities(case, first)


def _is_call(record: PartyRecord, what: str) -> bool:
    """Whether what was named is the whole call, not this phone."""
    return record.facts.linkedid == what and record.facts.uniqueid != what


def _by_id(record: PartyRecord, what: str) -> bool:
    return what in (record.facts.uniqueid, record.facts.linkedid)


def _by_phone(record: PartyRecord, what: str, seat: str) -> bool:
    """`seat` is where the operator sits who is named: his calls there come even if he was told of none."""
    facts = record.facts
    if seat and facts.extension == seat and not facts.operator:
        return True
    named = (facts.extension, facts.extension.partition("/")[2], facts.operator)
    return bool(facts.extension) and what in named


def _by_number(record: PartyRecord, what: str) -> bool:
    facts = record.facts
    if what in (facts.number, facts.name, facts.device, facts.exten):
        return True
    digits = digits_of(what)
    return len(digits) >= _SHORTEST_NUMBER and digits_of(facts.number) == digits


def _with_other_numbers(
    answer: Explanation, what: str, subject: PartyRecord, others: list[str]
) -> Explanation:
    said = verdict(Verdict.OTHER_NUMBERS, 0.0, answer.phone, subject.facts.number, what, ", ".join(others))
    return answer._replace(odd=(*answer.odd, said))
