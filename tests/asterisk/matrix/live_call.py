"""One call while it is played: tells its telephones what to do, and writes down what they did.

A step waits for what must be so (somebody rings, two hear each other), never for a time; the pauses that
there are belong to the call, as people talk for a while. `TelephoneError` from a step means that the call did
not come about as it should have; that is trouble of the combination and says nothing about the server.
"""

from __future__ import annotations

import asyncio

from tests.asterisk.matrix.ari import AriApplication
from tests.asterisk.matrix.combinations import Combination
from tests.asterisk.matrix.observed import CUSTOMER, CalledOut, Came, Ended, Met, ObservedCall, Queued, Rang
from tests.asterisk.matrix.site import OUTSIDE_KINDS
from tests.asterisk.matrix.telephones import SETTLE, SipLeg, TelephoneError, TelephoneNetwork
from tests.asterisk.rig import Asterisk

A_WHILE = 0.4  # people talk
A_MOMENT = 0.5  # Asterisk says "transfer" and listens


class LiveCall:
    """One combination on its way: its telephones, and what is observed while it is played."""

    def __init__(
        self, combination: Combination, asterisk: Asterisk, network: TelephoneNetwork, ari: AriApplication
    ) -> None:
        self.combination = combination
        self.asterisk = asterisk
        self.network = network
        self.ari = ari
        agents = {letter: combination.agent(letter) for letter in "abc"}
        self.observed = ObservedCall(combination.caller, combination.digits, agents)
        self._who: dict[SipLeg, str] = {}
        self._mixed: set[SipLeg] = set()

    # --- people ------------------------------------------------------------------------------------------

    async def comes(self, prefix: str, digits: str = "") -> SipLeg:
        """The customer calls the extension with that prefix, and presses his digits once answered."""
        phone = self.network.phone(self.combination.caller, self.network.lines["trunk"])
        leg = await phone.dial(self.combination.extension(prefix), f"Customer {self.combination.number:03}")
        self._who[leg] = CUSTOMER
        await leg.answered()
        await asyncio.sleep(SETTLE)
        await leg.press(digits or self.combination.digits)
        return leg

    async def is_called(self) -> SipLeg:
        """The customer's telephone rings outside, and he answers."""
        outside = self.combination.outside
        line = self.network.lines["company" if outside.startswith("057") else "trunk"]
        leg = await self.network.phone(outside, line).rings()
        self._who[leg] = CUSTOMER
        await asyncio.sleep(0.1)
        await leg.answer()
        return leg

    async def rings(self, agent: str, party: str = CUSTOMER) -> SipLeg:
        """The agent's telephone rings, for that party (empty: nobody can know yet)."""
        leg = await self.network.phone(self.combination.agent(agent)).rings()
        self._who[leg] = agent
        self.observed.facts.append(Rang(agent, leg.number, party))
        return leg

    async def dials(self, agent: str, exten: str) -> SipLeg:
        """The agent dials."""
        leg = await self.network.phone(self.combination.agent(agent)).dial(exten)
        self._who[leg] = agent
        return leg

    def originate(self, channel: str, context: str, exten: str, shown: str = "", **variables: str) -> None:
        """Another program than ours has Asterisk call, and shows this number, else the customer's."""
        number = shown or self.combination.outside
        fields = {"Channel": channel, "Context": context, "Exten": exten, "Priority": "1"}
        fields |= {"CallerID": f'"{number}" <{number}>'}
        fields |= {"Timeout": "30000", "Async": "true"}
        if variables:
            fields["Variable"] = ",".join(f"{name}={value}" for name, value in variables.items())
        self.asterisk.control.must("Originate", **fields)

    def channel_of(self, leg: SipLeg) -> str:
        """What Asterisk calls the only channel of that telephone."""
        found = self.asterisk.control.entries(
            "CoreShowChannels", "CoreShowChannel", "CoreShowChannelsComplete"
        )
        return next(entry["Channel"] for entry in found if entry["CallerIDNum"] == leg.phone.name)

    # --- what becomes of them ----------------------------------------------------------------------------

    def came(self, service: str) -> None:
        """The customer is in the context of this service."""
        self.observed.facts.append(Came(service))

    def queued(self, queue: str, party: str = CUSTOMER) -> None:
        """He waits in the queue."""
        self.observed.facts.append(Queued(party, queue))

    def calls_out(self, agent: str) -> None:
        """The customer is the one who was dialled."""
        kind = OUTSIDE_KINDS[self.combination.outside[:3]]
        self.observed.number = self.combination.outside
        self.observed.digits = ""
        self.observed.facts.append(CalledOut(agent, f"Out {kind}", self.combination.outside))

    def met(self, one: SipLeg, other: SipLeg) -> None:
        """The two are connected."""
        for leg, party in ((one, other), (other, one)):
            if self._who[leg] != CUSTOMER:
                self.observed.facts.append(Met(self._who[leg], leg.number, self._who[party]))

    async def meet(self, one: SipLeg, other: SipLeg) -> None:
        """Wait until the two hear each other for the first time."""
        await self.hear(one, other)
        self.met(one, other)
        await asyncio.sleep(A_WHILE)

    async def hear(self, one: SipLeg, other: SipLeg) -> None:
        """Wait until the two hear each other (again)."""
        one.heard = other.heard = None
        what = f"{self._who[one]} {one} and {self._who[other]} {other} hear each other"
        try:
            await self.network.until(lambda: one.heard is other and other.heard is one, what)
        except TelephoneError as error:
            raise TelephoneError(f"{error}; they hear {one.heard} and {other.heard}") from None

    def confers(self, *legs: SipLeg) -> None:
        """They are in a conference: whom they hear there is no conversation of two."""
        self._mixed.update(legs)

    async def leaves(self, leg: SipLeg) -> None:
        """The agent's telephone hangs up once Asterisk has said that a transfer went well."""
        await self.network.until(lambda: leg.over or leg.referred >= 200, f"{leg} is let go")
        if leg.referred >= 300:
            raise TelephoneError(f"{leg}: the transfer failed with {leg.referred}")
        # While Asterisk still moves the customer, the BYE could hang him up in the transferer's place.
        await asyncio.sleep(A_WHILE)
        await leg.hang_up()
        self.ended(leg)

    def ended(self, leg: SipLeg, end: str = "answered", last: str = CUSTOMER) -> None:
        """The agent's leg is over; whom it was connected with, or empty if nobody can say."""
        self.observed.facts.append(Ended(self._who[leg], leg.number, end, last))

    async def finish(self) -> None:
        """Hang up what is left, and look whether anything happened that no step has told of."""
        own = [leg for leg in self.network.legs.values() if self._is_ours(leg)]
        for leg in own:
            if leg not in self._who and not self.observed.trouble:
                self.observed.trouble = f"{leg} was called, and no step said so"
            try:
                if leg.up or (leg.invite and leg.dialog.cseq < 100):
                    await leg.hang_up()
                elif not leg.over:
                    leg.refuse()
            except TelephoneError as error:
                self.observed.trouble = self.observed.trouble or str(error)
        met = {(fact.leg, fact.party) for fact in self.observed.facts if isinstance(fact, Met)}
        for leg, other in self.network.hearings:
            who, whom = self._who.get(leg), self._who.get(other)
            if (
                who
                and who != CUSTOMER
                and leg not in self._mixed
                and (leg.number, whom or "a stranger") not in met
            ):
                self.observed.trouble = (
                    self.observed.trouble or f"{who} {leg} heard {whom} {other}: no step said so"
                )

    def _is_ours(self, leg: SipLeg) -> bool:
        number = f"{self.combination.number:03}"
        return leg in self._who or leg.phone.name.startswith(f"4{number}")
