"""Where the combinations are played: Asterisk's files and the server's configuration.

Each combination gets telephones, queues and a parking lot of its own. The dialplan is the same for all:
`queues`, `direct` and `acd` (of an ARI application) are contexts of inbound services, `out-*` of outbound
ones, all others belong to none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.asterisk.matrix.combinations import DEVICE, KEY, LOCAL, TIMEOUT, Combination
from tests.asterisk.matrix.telephones import TelephoneNetwork
from tests.asterisk.rig import Asterisk, filled

TRUNKS = ("trunk", "company")  # the second shows our own number on whatever it is called for
# By the first digits of a number outside: the context is "out-" and this.
OUTSIDE_KINDS = {"055": "plain", "056": "gosub", "057": "company", "058": "connected", "059": "connected"}
COMPANY = '"Our Company" <0559999>'
QUICK = 2  # seconds that a telephone rings where nobody answers
ARI_USER, ARI_SECRET, ARI_APPLICATION = "matrix", "matrix", "matrix"

# Modules that the other tests do without.
WANTED_MODULES = (
    "res_parking",
    "app_agent_pool",
    "app_stasis",
    "res_stasis",
    "res_ari",
    "res_http_websocket",
    "res_websocket_client",
)
UNWANTED_MODULES = ("res_stasis_test", "res_stasis_broadcast", "app_stasis_broadcast", "res_ari_mailboxes")

DIALPLAN = r"""
[globals](+)
%{globals}

[incoming](+)
exten => _10XXX,1,Goto(direct,${EXTEN},1)
exten => _11XXX,1,Goto(queues,${EXTEN},1)
exten => _12XXX,1,Goto(from-did,${EXTEN},1)
exten => _13XXX,1,Goto(ivr,${EXTEN},1)
exten => _14XXX,1,Goto(ivr,${EXTEN},1)
exten => _15XXX,1,Goto(acd,${EXTEN},1)
exten => _16XXX,1,Goto(ivr,${EXTEN},1)
exten => _20XXX,1,Goto(queues,${EXTEN},1)

; The context of all queues, as FreePBX has it. 11 asks for digits, 12 comes from a DID, 18 has asked; 19 is
; the second queue.
[queues]
exten => _11XXX,1,Answer()
 same => n,Read(cdata,,5)
 same => n,Set(calldata=${cdata})
 same => n,Queue(q${EXTEN:2},t,,,${WAIT${EXTEN:2}})
 same => n,Hangup()
exten => _12XXX,1,Answer()
 same => n,Gosub(sub-ask,s,1(5))
 same => n,Gosub(sub-record-check,s,1(q,${EXTEN}))
 same => n,Queue(q${EXTEN:2},t,,,${WAIT${EXTEN:2}})
 same => n,Hangup()
exten => _18XXX,1,Answer()
 same => n,Queue(q${EXTEN:2},t,,,${WAIT${EXTEN:2}})
 same => n,Hangup()
exten => _19XXX,1,Answer()
 same => n,Queue(r${EXTEN:2},t)
 same => n,Hangup()
; As 11, and the answering telephone runs a subroutine before it is connected.
exten => _20XXX,1,Answer()
 same => n,Read(cdata,,5)
 same => n,Set(calldata=${cdata})
 same => n,Queue(q${EXTEN:2},t,,,60,%{before_gosub}sub-slow)
 same => n,Hangup()
[sub-slow]
exten => s,1,Wait(2)
 same => n,Return()

; A caller leaves a queue by key.
[left-by-key]
exten => 9,1,Wait(1)
 same => n,Hangup()

; FreePBX's way: everything is a subroutine.
[from-did]
exten => _12XXX,1,Set(__FROM_DID=${EXTEN})
 same => n,Gosub(app-blacklist-check,s,1())
 same => n,Goto(queues,${EXTEN},1)
[app-blacklist-check]
exten => s,1,NoOp(${FROM_DID})
 same => n,Return()
[sub-ask]
exten => s,1,Read(cdata,,${ARG1})
 same => n,Set(calldata=${cdata})
 same => n,Return()
[sub-record-check]
exten => s,1,Set(QUEUENUM=${ARG2})
 same => n,Return()

; A menu that hands the caller on through a Local channel, or to an ARI application.
[ivr]
exten => _1[346]XXX,1,Answer()
 same => n,Read(cdata,,5)
 same => n,Set(__calldata=${cdata})
 same => n,Goto(hand-on,${EXTEN},1)
[hand-on]
exten => _13XXX,1,Dial(Local/18${EXTEN:2}@queues,60)
exten => _14XXX,1,Dial(Local/18${EXTEN:2}@queues/n,60)
exten => _16XXX,1,Stasis(%{application},queue,${EXTEN:2})

[acd]
exten => _15XXX,1,Answer()
 same => n,Read(cdata,,5)
 same => n,Set(calldata=${cdata})
 same => n,Stasis(%{application},agent,${EXTEN:2})
 same => n,Hangup()

; Without a queue: 10 asks for digits, 17 does not.
[direct]
exten => _10XXX,1,Answer()
 same => n,Read(cdata,,5)
 same => n,Set(calldata=${cdata})
 same => n,Dial(${TARGET${EXTEN:2}},${RING${EXTEN:2}},tT)
 same => n,Hangup()
exten => _17XXX,1,Dial(${TARGET${EXTEN:2}},${RING${EXTEN:2}},tT)
 same => n,Hangup()

; Queue members written Local/...@agents; from-queue does it in subroutines; agentpool asks who has logged in.
[agents](+)
exten => _4XXXX,1,Dial(%{technology}/${EXTEN},60,t)
 same => n,Hangup()
[from-queue]
exten => _4XXXX,1,Gosub(dial-one,s,1(${EXTEN}))
 same => n,Hangup()
[dial-one]
exten => s,1,Dial(%{technology}/${ARG1},60,t)
 same => n,Return()
[agentpool]
exten => _6XXX,1,AgentRequest(${EXTEN})
 same => n,Hangup()

; What the telephones dial.
[phones](+)
include => lots
exten => _4XXXX,1,Dial(%{technology}/${EXTEN},60,tT)
 same => n,Hangup()
exten => _19XXX,1,Goto(queues,${EXTEN},1)
exten => _055XXXXX,1,Goto(out-plain,${EXTEN},1)
exten => _056XXXXX,1,Goto(out-gosub,${EXTEN},1)
exten => _057XXXXX,1,Goto(out-company,${EXTEN},1)
exten => _05[89]XXXXX,1,Goto(out-connected,${EXTEN},1)
exten => _6XXX,1,AgentLogin(${EXTEN},s)
 same => n,Hangup()
exten => _8XXX,1,Answer()
 same => n,ConfBridge(${EXTEN})
 same => n,Hangup()
exten => _5XXX,1,Answer()
 same => n,MusicOnHold(default,60)
 same => n,Hangup()

[out-plain]
exten => _05[5-7]XXXXX,1,Dial(%{trunk},60,T)
 same => n,Hangup()
[out-gosub]
exten => _05[5-7]XXXXX,1,Gosub(sub-dialout-trunk,s,1(${EXTEN}))
 same => n,Hangup()
[sub-dialout-trunk]
exten => s,1,Dial(%{trunk_arg},60,T)
 same => n,Return()
; Nobody answers at the first line that is tried.
[out-company]
exten => _05[5-7]XXXXX,1,Dial(%{company_nobody},1,T)
 same => n,Dial(%{company},60,T)
 same => n,Hangup()
; FreePBX's way to show a trunk's customer on the telephone that dials.
[out-connected]
exten => _05[89]XXXXX,1,Gosub(sub-connected,s,1(${EXTEN},${IF($[${EXTEN:2:1}=9]?I)}))
 same => n,Hangup()
[sub-connected]
exten => s,1,Set(CONNECTEDLINE(num,i)=${ARG1})
 same => n,Dial(%{trunk_arg},60,T${ARG2})
 same => n,Return()

; A call-back: the customer is rung through a Local channel that brings the data.
[callbacks]
exten => _05[5-7]XXXXX,1,Set(__calldata=9${EXTEN:3:3}5)
 same => n,Dial(%{trunk},60)
 same => n,Hangup()
"""

TRUNK_PJSIP = """
[{name}](endpoint)
context = incoming
identify_by = header,username
trust_id_inbound = yes
aors = {name}
{callerid}
[{name}]
type = identify
endpoint = {name}
match_header = X-Rig: {name}
[{name}]
type = aor
contact = sip:127.0.0.1:{port}
"""
PHONE_PJSIP = """
[{name}](endpoint)
context = phones
allow_transfer = yes
aors = {name}
callerid = "Agent {name}" <{name}>
named_call_group = {group}
named_pickup_group = {group}
[{name}]
type = aor
contact = sip:{name}@127.0.0.1:{port}
"""
TRUNK_SIP = """
[{name}]
type = peer
context = incoming
host = 127.0.0.1
port = {port}
{callerid}
"""
PHONE_SIP = """
[{name}]
type = friend
context = phones
defaultuser = {name}
host = 127.0.0.1
port = {port}
callerid = "Agent {name}" <{name}>
namedcallgroup = {group}
namedpickupgroup = {group}
"""


def prepare(
    asterisk: Asterisk, combinations: Iterable[Combination], network: TelephoneNetwork, http_port: int
) -> None:
    """Write the files of an Asterisk that has not started yet."""
    chosen = list(combinations)
    etc = asterisk.folder / "etc"
    _want_modules(etc / "modules.conf")
    _append(etc / "extensions.conf", _dialplan(asterisk, chosen))
    _append(etc / "rtp.conf", "strictrtp = no\n")  # all telephones send from one port
    _append(etc / "queues.conf", "".join(_queues(asterisk, chosen)))
    phones = "pjsip.conf" if asterisk.technology == "PJSIP" else "sip.conf"
    _append(etc / phones, "".join(_phones(asterisk, chosen, network)))
    lots = "".join(_lot(combination) for combination in chosen)
    (etc / "res_parking.conf").write_text(f"[general]\nparkeddynamic = no\n{lots}")
    agents = "".join(f"[{combination.extension('6')}]\nackcall = no\n" for combination in chosen)
    (etc / "agents.conf").write_text(f"[general]\n{agents}")
    (etc / "http.conf").write_text(
        f"[general]\nenabled = yes\nbindaddr = 127.0.0.1\nbindport = {http_port}\n"
    )
    user = f"[{ARI_USER}]\ntype = user\npassword = {ARI_SECRET}\n"
    (etc / "ari.conf").write_text(f"[general]\nenabled = yes\n{user}")


def target(asterisk: Asterisk, combination: Combination, letter: str = "a") -> str:
    """How this combination's queue or dialplan reaches an agent: device, or through a Local channel."""
    name = combination.agent(letter)
    if combination.member == DEVICE:
        return asterisk.device(name)
    context = "from-queue" if combination.way == "did" else "agents"
    return f"Local/{name}@{context}" + ("" if combination.member == LOCAL else "/n")


def _append(file: Path, text: str) -> None:
    with file.open("a") as out:
        out.write("\n" + text)


def _want_modules(file: Path) -> None:
    lines = []
    for line in file.read_text().splitlines():
        module = line.removeprefix("noload => ").removesuffix(".so")
        wanted = module.startswith(WANTED_MODULES) and not module.startswith(UNWANTED_MODULES)
        if not (line.startswith("noload => ") and wanted):
            lines.append(line)
    file.write_text("\n".join(lines) + "\n")


def _dialplan(asterisk: Asterisk, chosen: list[Combination]) -> str:
    values = {
        "globals": "\n".join(_globals(asterisk, chosen)),
        "technology": asterisk.technology,
        "before_gosub": ",," if asterisk.version < 21 else ",",  # a macro's place was there before 21
        "application": ARI_APPLICATION,
        "trunk": trunk(asterisk, "trunk", "${EXTEN}"),
        "trunk_arg": trunk(asterisk, "trunk", "${ARG1}"),
        "company": trunk(asterisk, "company", "${EXTEN}"),
        "company_nobody": trunk(asterisk, "company", "0550000"),
    }
    return filled(DIALPLAN, values)


def trunk(asterisk: Asterisk, name: str, number: str) -> str:
    """A number outside as Dial and Originate write it."""
    if asterisk.technology == "PJSIP":
        return f"PJSIP/{number}@{name}"
    return f"SIP/{name}/{number}"


def _globals(asterisk: Asterisk, chosen: list[Combination]) -> Iterator[str]:
    for combination in chosen:
        number = f"{combination.number:03}"
        first = "c" if combination.way == "picked-up" else "a"
        yield f"TARGET{number} = {target(asterisk, combination, first)}"
        yield f"RING{number} = {QUICK if combination.out == TIMEOUT else 60}"
        yield f"WAIT{number} = {QUICK + 1 if combination.out == TIMEOUT else 90}"


def _queues(asterisk: Asterisk, chosen: list[Combination]) -> Iterator[str]:
    for combination in chosen:
        yield f"[{combination.queue}](calm)\nstrategy = ringall\n"
        yield f"timeout = {QUICK if combination.out == TIMEOUT else 60}\n"
        yield "context = left-by-key\n" if combination.out == KEY else ""
        yield from _members(asterisk, combination)
        yield f"[{combination.second_queue}](calm)\nstrategy = ringall\ntimeout = 60\n"
        yield _member(asterisk, combination, "b")


def _members(asterisk: Asterisk, combination: Combination) -> Iterator[str]:
    """Of the first queue. Who shall be connected in an unusual way is no member: C is in his place."""
    if combination.way == "agent-login":
        agent = combination.extension("6")
        yield f"member => Local/{agent}@agentpool,0,,Agent:{agent}\n"
    elif combination.way in ("bridge-action", "queue-picked-up", "parked"):
        yield _member(asterisk, combination, "c")
    else:
        yield _member(asterisk, combination, "a")


def _member(asterisk: Asterisk, combination: Combination, letter: str) -> str:
    device = asterisk.device(combination.agent(letter))
    return f"member => {target(asterisk, combination, letter)},0,Agent {letter},{device}\n"


def _phones(asterisk: Asterisk, chosen: list[Combination], network: TelephoneNetwork) -> Iterator[str]:
    pjsip = asterisk.technology == "PJSIP"
    for name in TRUNKS:
        callerid = f"callerid = {COMPANY}" if name == "company" else ""
        values = {"name": name, "port": network.lines[name].port, "callerid": callerid}
        yield (TRUNK_PJSIP if pjsip else TRUNK_SIP).format(**values)
    port = network.lines["agents"].port
    for combination in chosen:
        for letter in "abc":
            values = {"name": combination.agent(letter), "port": port, "group": f"g{combination.number:03}"}
            yield (PHONE_PJSIP if pjsip else PHONE_SIP).format(**values)


def _lot(combination: Combination) -> str:
    first = combination.extension("7")
    return f"""[lot{combination.number:03}]
context = lots
parkext = {first}0
parkpos = {first}1-{first}1
parkext_exclusive = yes
parkingtime = 120
comebacktoorigin = no
parkedcalltransfers = both
"""


def configuration(asterisk: Asterisk, combinations: Iterable[Combination]) -> str:
    """The server's configuration.xml: a seat and an operator for each agent, bound to all services of his."""
    chosen = list(combinations)
    everybody = [combination.agent(letter) for combination in chosen for letter in "abc"]
    services = [
        _service("Direct", "direct", "inbound", "", everybody),
        _service("Acd", "acd", "inbound", "", everybody),
        *(
            _service(f"Out {kind}", f"out-{kind}", "outbound", "", everybody)
            for kind in dict.fromkeys(OUTSIDE_KINDS.values())
        ),
    ]
    for combination in chosen:
        own = [combination.agent(letter) for letter in "abc"]
        for queue in (combination.queue, combination.second_queue):
            services.append(_service(f"S{queue}", "queues", "inbound", queue, own))
    seats = [f'<seat mac="{_mac(name)}" extension="{asterisk.device(name)}"/>' for name in everybody]
    operators = [
        f'<operator username="op{name}" full-name="Op {name}" password="md5:098f6bcd4621d373cade4e832627b4f6"'
        f' seat="{_mac(name)}"/>'
        for name in everybody
    ]
    lists = (("services", services), ("seats", seats), ("operators", operators))
    inner = "\n".join(f"<{tag}>\n" + "\n".join(items) + f"\n</{tag}>" for tag, items in lists)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<configuration>\n{inner}\n</configuration>\n'


def _mac(name: str) -> str:
    return f"02:00:00:0{name[0]}:{name[1:3]}:{name[3:5]}"


def _service(name: str, context: str, kind: str, queue: str, operators: list[str]) -> str:
    is_queue = f' is-queue="true" queue-name="{queue}"' if queue else ""
    triggers = "".join(
        f'<trigger type="browser" on="{moment}"><url>{trigger_url(moment)}</url></trigger>'
        for moment in ("ring", "answer", "hangup")
    )
    bound = "".join(f'<operator username="op{operator}"/>' for operator in operators)
    return (
        f'<service name="{name}" context="{context}" type="{kind}"{is_queue}>'
        f'<variable name="calldata"/><variable name="custid"/>{triggers}{bound}</service>'
    )


def trigger_url(moment: str) -> str:
    """As the configuration has it, XML escapes included."""
    return f"https://crm.test/{moment}?s={{SERVICE}}&amp;d={{CALLDATA}}&amp;n={{CALLERID}}&amp;x={{EXTEN}}"
