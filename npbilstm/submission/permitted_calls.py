"""The system calls that contained code may make, and no others: it computes, reads what it is shown, and answers.

A list of what is allowed holds where a list of what is forbidden has gaps: no process, no thread, no socket, no signal,
no memory of others, and nothing that a later Linux brings. The filter is made where the judge is, and reaches the
process that sets it as bytes. The numbers are those of Linux's headers, x86_64 and aarch64; see system_calls.py, whose
program and conditions these are.
"""

from __future__ import annotations

from npbilstm.submission.system_calls import (
    ALLOW,
    EQUAL,
    PROCESSORS,
    REFUSE,
    RETURN,
    Condition,
    argument,
    as_linux_takes,
    beginning,
    conditions,
    passes_where,
    this_machine,
)

PERMITTED = {
    # bytes that come and go, and files that are read
    "read": (0, 63),
    "write": (1, 64),
    "readv": (19, 65),
    "writev": (20, 66),
    "pread64": (17, 67),
    "lseek": (8, 62),
    "open": (2, None),
    "openat": (257, 56),
    "close": (3, 57),
    "stat": (4, None),
    "fstat": (5, 80),
    "lstat": (6, None),
    "newfstatat": (262, 79),
    "statx": (332, 291),
    "access": (21, None),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "readlink": (89, None),
    "readlinkat": (267, 78),
    "getcwd": (79, 17),
    "getdents64": (217, 61),
    "dup": (32, 23),
    "dup3": (292, 24),
    "ioctl": (16, 29),
    "fcntl": (72, 25),
    "poll": (7, None),
    "ppoll": (271, 73),
    "select": (23, None),
    "pselect6": (270, 72),
    # memory of its own
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "brk": (12, 214),
    "futex": (202, 98),
    # what it does with signals that reach it, and its end
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "exit": (60, 93),
    "exit_group": (231, 94),
    # time, chance, and who and where it is
    "nanosleep": (35, 101),
    "clock_nanosleep": (230, 115),
    "restart_syscall": (219, 128),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "gettimeofday": (96, 169),
    "time": (201, None),
    "times": (100, 153),
    "getrusage": (98, 165),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),
    "getrandom": (318, 278),
    "uname": (63, 160),
    "sysinfo": (99, 179),
    "getpid": (39, 172),
    "gettid": (186, 178),
    "getppid": (110, 173),
    "getuid": (102, 174),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getegid": (108, 177),
    "getrlimit": (97, 163),
    "prlimit64": (302, 261),
}
"""The numbers of the permitted calls on x86_64 and on aarch64, which has no open, stat or time."""

TCGETS = 0x5401
"""What isatty asks. It is all that ioctl may: TIOCSTI, for one, types into a terminal."""


def permitting_filter(machine: str | None = None) -> bytes:
    """The filter for a kind of processor, this one's where none is named: the instructions as Linux takes them; b""
    where there is none for it."""
    machine = this_machine() if machine is None else machine
    if machine not in PROCESSORS:
        return b""
    column = PROCESSORS[machine][0]
    where: dict[str, list[Condition]] = {name: conditions(0)[name] for name in ("fcntl", "prlimit64")}
    where["ioctl"] = [argument(1, EQUAL, TCGETS)]
    lines = beginning(machine)
    for name, numbers in PERMITTED.items():
        number = numbers[column]
        if number is not None:
            rule = passes_where(where[name], REFUSE) if name in where else [(RETURN, 0, 0, ALLOW)]
            lines += [(EQUAL, 0, len(rule), number), *rule]
    lines.append((RETURN, 0, 0, REFUSE))
    return as_linux_takes(lines)
