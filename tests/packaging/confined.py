"""Runs a program as a systemd unit confines it, without systemd: `confined.py UNIT PROGRAM ARGUMENT...`.

Of the unit it takes SystemCallFilter, RestrictAddressFamilies, MemoryDenyWriteExecute,
CapabilityBoundingSet and NoNewPrivileges. Needs the system's Python (python3-seccomp) and systemd-analyze,
which knows what is in each group of system calls.
"""

from __future__ import annotations

import ctypes
import errno
import importlib
import os
import subprocess
import sys
from pathlib import Path

PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_SET_MDWE = 24, 38, 65
FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10, "AF_NETLINK": 16}


def settings(unit: Path) -> dict[str, list[str]]:
    """What the unit says, by setting; each may come several times."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text(encoding="utf-8").splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value.strip())
    return found


def members(group: str) -> set[str]:
    """The system calls of a group, those of the groups in it included; a call is one of its own."""
    if not group.startswith("@"):
        return {group}
    shown = subprocess.run(
        ["systemd-analyze", "syscall-filter", "--no-pager", group], capture_output=True, text=True, check=True
    ).stdout
    words = [line.strip() for line in shown.splitlines() if line.startswith("    ")]
    found = {word for word in words if not word.startswith(("@", "#"))}
    return found.union(*(members(word) for word in words if word.startswith("@")))


def allowed_calls(filters: list[str]) -> set[str]:
    """The system calls that are left: each line allows more, or with ~ takes away."""
    allowed: set[str] = set()
    for line in filters:
        named: set[str] = set().union(*(members(group) for group in line.removeprefix("~").split()))
        allowed = allowed - named if line.startswith("~") else allowed | named
    # systemd adds these for its own exec(): the program that is run does not lose them either.
    return allowed | members("@default") | {"execve"}


def confine(unit: dict[str, list[str]]) -> None:
    """From here on this process, and what it becomes, may do what the unit lets it."""
    seccomp = importlib.import_module("seccomp")  # of the system's Python

    calls = allowed_calls(unit["SystemCallFilter"])
    libc = ctypes.CDLL(None, use_errno=True)

    def control(*arguments: int) -> None:
        if libc.prctl(*[ctypes.c_ulong(argument) for argument in (*arguments, 0, 0, 0, 0)][:5]):
            raise OSError(ctypes.get_errno(), f"prctl{arguments}")

    if unit["CapabilityBoundingSet"] == [""] and os.geteuid() == 0:
        for number in range(int(Path("/proc/sys/kernel/cap_last_cap").read_text()) + 1):
            control(PR_CAPBSET_DROP, number)
    if unit["MemoryDenyWriteExecute"] == ["yes"]:
        control(PR_SET_MDWE, 1)
    control(PR_SET_NO_NEW_PRIVS, 1)
    seccomp_filter = seccomp.SyscallFilter(seccomp.ERRNO(errno.EPERM))
    for call in sorted(calls - {"socket"}):
        try:
            seccomp_filter.add_rule(seccomp.ALLOW, call)
        except (ValueError, RuntimeError):
            continue  # of another processor, or newer than the library
    for family in unit["RestrictAddressFamilies"][0].split():
        seccomp_filter.add_rule(seccomp.ALLOW, "socket", seccomp.Arg(0, seccomp.EQ, FAMILIES[family]))
    seccomp_filter.load()


if __name__ == "__main__":
    confine(settings(Path(sys.argv[1])))
    os.execv(sys.argv[2], sys.argv[2:])
