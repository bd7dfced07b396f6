"""An ended trail comes out of its bytes as it went in, whatever Asterisk calls things."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from astcti_server.explain.packed_trails import pack, pack_record, unpack
from astcti_server.explain.trail import FIRST_KEPT, LAST_KEPT, PartyFacts, PartyRecord, Trail

TEXT = st.text(st.characters(codec=None), max_size=12)
TEXTS = st.lists(TEXT, max_size=4).map(tuple)
MOMENTS = st.floats(0, 1e12)
FACTS = st.builds(
    PartyFacts, *[TEXT] * 6, st.booleans(), TEXT, TEXTS, TEXTS, *[TEXT] * 4, *[st.booleans()] * 3, TEXT
)
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
STEPS = st.lists(st.tuples(MOMENTS, TEXTS).map(lambda step: (step[0], *step[1])), max_size=8).map(tuple)


@given(st.builds(PartyRecord, FACTS, MOMENTS, MOMENTS, st.integers(0, 2**32 - 1), STEPS))
def test_a_record_comes_out_as_it_went_in(record: PartyRecord) -> None:
    assert unpack(pack_record(record)) == record


def test_of_a_long_trail_the_first_and_the_last_steps_are_packed() -> None:
    trail = Trail(lambda: 5.0)
    for number in range(150):
        trail.add("variable-set", "calldata", str(number), "1")
    record = unpack(pack(FACTS_OF_ONE, trail, 6.0))
    assert len(record.steps) == FIRST_KEPT + LAST_KEPT
    assert (record.left_out, record.steps[-1][3]) == (50, "149")
