"""A filter of system calls: the process that sets it (runner.py) starts no other, and touches none.

Linux looks at every system call of a process through a small program that the process has given it (seccomp) and can
never take back. The program is an array of instructions of the "classic BPF" machine, which has one register: load a
word of the call's description, compare it and jump, return what is to be done. The words are

    offset 0       the call's number, another one on every kind of processor
    offset 4       the kind of processor
    offset 16 + 8k the k-th argument, lower half first

The numbers below are those of Linux's headers: asm/unistd.h, linux/audit.h, linux/seccomp.h, linux/bpf_common.h.
"""

from __future__ import annotations

import errno
import os
import struct
import sys
from collections.abc import Iterable

NUMBERS = {
    # another process: fork, in its four forms, and another program in this one's place
    "fork": (57, None),
    "vfork": (58, None),
    "clone": (56, 220),
    "clone3": (435, 435),
    "execve": (59, 221),
    "execveat": (322, 281),
    # what reaches into others: signals, their memory, their files
    "kill": (62, 129),
    "tkill": (200, 130),
    "tgkill": (234, 131),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "pidfd_send_signal": (424, 424),
    "pidfd_getfd": (438, 438),
    "fcntl": (72, 25),
    "ioctl": (16, 29),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    # what would lift the limits: another user or namespace (which also undoes prctl's PR_SET_PDEATHSIG), memory that
    # counts as nobody's or outlives the process
    "setrlimit": (160, 164),
    "prlimit64": (302, 261),
    "prctl": (157, 167),
    "setuid": (105, 146),
    "setgid": (106, 144),
    "setreuid": (113, 145),
    "setregid": (114, 143),
    "setresuid": (117, 147),
    "setresgid": (119, 149),
    "setfsuid": (122, 151),
    "setfsgid": (123, 152),
    "unshare": (272, 97),
    "setns": (308, 268),
    "memfd_create": (319, 279),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
}
"""The numbers of the calls in question on x86_64 and on aarch64, which has no fork and no vfork."""

PROCESSORS = {"x86_64": (0, 0xC000_003E), "aarch64": (1, 0xC000_00B7)}
"""The column of NUMBERS; and the word at offset 4: 64 bits, little-endian, and the number that ELF files have."""
X32 = 0x4000_0000
"""From here on, x86_64 has the same calls once more, for programs with short pointers."""

LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL, REFUSE, UNKNOWN = 0x7FFF_0000, 0x8000_0000, 0x0005_0000 | errno.EPERM, 0x0005_0000 | errno.ENOSYS
"""What to return: let it pass, end the process, or let the call fail with an error of this number."""

CLONE_THREAD = 0x1_0000
PR_SET_PDEATHSIG = 1
F_SETOWN, F_SETSIG, F_SETOWN_EX, FIOSETOWN, SIOCSPGRP = 8, 10, 15, 0x8901, 0x8902
"""A file's owner gets a signal when there is something to read: anybody can be made owner."""

Instruction = tuple[int, int, int, int]
"""What to do, how many instructions to skip where a comparison holds and where it does not, and a number."""
Condition = tuple[int, int, int, bool]
"""An offset, a comparison, a number to compare with, and whether it must hold."""


def argument(k: int, comparison: int, value: int, holds: bool = True) -> Condition:
    """A condition on the lower half of a call's k-th argument."""
    return 16 + 8 * k, comparison, value, holds


def conditions(pid: int) -> dict[str, list[Condition]]:
    """The calls of NUMBERS that pass where all their conditions hold; the others never do. pid: the process's own."""
    own = [argument(0, EQUAL, pid)]
    return {
        "clone": [argument(0, ANY_BIT, CLONE_THREAD)],  # a thread
        "kill": own,
        "tgkill": own,
        "rt_sigqueueinfo": own,
        "rt_tgsigqueueinfo": own,
        "fcntl": [argument(1, EQUAL, command, False) for command in (F_SETOWN, F_SETSIG, F_SETOWN_EX)],
        "ioctl": [argument(1, EQUAL, command, False) for command in (FIOSETOWN, SIOCSPGRP)],
        "prctl": [argument(0, EQUAL, PR_SET_PDEATHSIG, False)],
        "prlimit64": [(32, EQUAL, 0, True), (36, EQUAL, 0, True)],  # no new limit: it only asks
    }


def beginning(machine: str) -> list[Instruction]:
    """How a filter begins: another kind of processor ends the process, and the call's number is loaded."""
    lines = [(LOAD, 0, 0, 4), (EQUAL, 1, 0, PROCESSORS[machine][1]), (RETURN, 0, 0, KILL)]
    return [*lines, (LOAD, 0, 0, 0), (AT_LEAST, 0, 1, X32), (RETURN, 0, 0, KILL)]


def program(machine: str, pid: int) -> list[Instruction]:
    """The filter for a kind of processor, and for the process of this number."""
    column, lines = PROCESSORS[machine][0], beginning(machine)
    passing = conditions(pid)
    for name, numbers in NUMBERS.items():
        number = numbers[column]
        if number is not None:
            # for want of clone3, which has its flags where the filter cannot look, the C library takes clone
            refusal = UNKNOWN if name == "clone3" else REFUSE
            rule = passes_where(passing[name], refusal) if name in passing else [(RETURN, 0, 0, refusal)]
            lines += [(EQUAL, 0, len(rule), number), *rule]
    return [*lines, (RETURN, 0, 0, ALLOW)]


def passes_where(needed: list[Condition], refusal: int) -> list[Instruction]:
    """Let a call pass where all conditions hold, and refuse it otherwise."""
    lines: list[Instruction] = [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, refusal)]
    for offset, comparison, value, holds in reversed(needed):
        out = len(lines) - 1  # from behind the comparison to the refusal
        lines = [(LOAD, 0, 0, offset), (comparison, *((0, out) if holds else (out, 0)), value), *lines]
    return lines


def this_machine() -> str:
    """The kind of processor, as Linux calls it; "" where no filter can be set: elsewhere, or in 32 bits."""
    return os.uname().machine if sys.platform == "linux" and sys.maxsize > 2**32 else ""


def as_linux_takes(lines: Iterable[Instruction]) -> bytes:
    """The instructions of a filter, one after another."""
    return b"".join(struct.pack("=HBBI", *line) for line in lines)


def process_filter(pid: int) -> bytes:
    """The filter for the process of this number, as Linux takes it; b"" where this system can set none."""
    machine = this_machine()
    return as_linux_takes(program(machine, pid)) if machine in PROCESSORS else b""
