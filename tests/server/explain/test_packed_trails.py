"""An ended trail comes out of its bytes as it went in, whatever Asterisk calls things."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from astcti_server.explain.packed_trails import pack, pack_record, unpack
from astcti_server.explain.trail import (
    ARGUMENTS,
    FIRST_KEPT,
    LAST_KEPT,
    PartyFacts,
    PartyRecord,
    Trail,
    texts_of,
)
from schemas.explanation.codes import TrailStep

TEXT = st.text(st.characters(codec=None, exclude_characters="\0"), max_size=12)
NAMES = st.lists(st.text(st.characters(exclude_characters="\0\n"), min_size=1, max_size=12), max_size=4).map(
    tuple
)
MOMENTS = st.floats(0, 1e12)
FLAG = st.booleans()
FACTS = st.builds(PartyFacts, *[TEXT] * 7, NAMES, NAMES, *[TEXT] * 2, FLAG, *[TEXT] * 3, *[FLAG] * 3)
FACTS_OF_ONE = PartyFacts(
    "1.1",
    "1.0",
    "PJSIP/201",
    "333",
    "Caller",
    "101",
    began_call=False,
    caller="1.0",
    path=(),
    variables=("calldata",),
    extension="PJSIP/201",
    operator="mario",
    service="Demo",
    state="Up",
    outbound=False,
    linked=True,
    talked=True,
    end="",
)
STEPS = st.lists(
    st.sampled_from(TrailStep).flatmap(
        lambda step: st.tuples(MOMENTS, st.just(step.value), *[TEXT] * ARGUMENTS[step.value])
    ),
    max_size=8,
).map(tuple)


@given(st.builds(PartyRecord, FACTS, MOMENTS, MOMENTS, st.integers(0, 2**32 - 1), STEPS))
def test_a_record_comes_out_as_it_went_in(record: PartyRecord) -> None:
    assert unpack(pack_record(record)) == record


def test_of_a_long_trail_the_first_and_the_last_steps_are_packed() -> None:
    trail = Trail(lambda: 5.0)
    for number in range(150):
        trail.add("variable-set", "calldata", str(number), "1")
    record = unpack(pack(texts_of(FACTS_OF_ONE), trail, 6.0))
    assert len(record.steps) == FIRST_KEPT + LAST_KEPT
    assert (record.left_out, record.steps[-1][3]) == (50, "149")


@given(st.lists(st.text(st.sampled_from("a\0\n"), max_size=4), min_size=3, max_size=3))
def test_a_character_that_no_text_of_asterisk_has_does_not_spoil_what_is_kept(texts: list[str]) -> None:
    trail = Trail(lambda: 5.0)
    trail.add("variable-set", *texts)
    record = unpack(pack(texts_of(FACTS_OF_ONE._replace(name=texts[0])), trail, 6.0))
    assert record.facts.uniqueid == "1.1"
    assert (record.began, record.ended, len(record.steps)) == (5.0, 6.0, 1)
