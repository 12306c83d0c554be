"""A filter of system calls (Linux, x86-64 and ARM of 64 bits) that takes the network, other programs and writing away.

It refuses what a decoder has no use for and lets the rest pass, since an allow-list breaks with every new C library:
threads start, files are read, memory is taken as before. Refused calls answer "not permitted", which libraries know.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Iterator, Mapping

# The number of each call by machine, from the kernel's tables: x86-64, ARM. None: that machine has no such call.
_REFUSED: Mapping[str, tuple[int | None, int | None]] = {
    **{"socket": (41, 198), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201)},
    **{"execve": (59, 221), "execveat": (322, 281), "fork": (57, None), "vfork": (58, None)},
    **{"ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "tkill": (200, 130)},
    **{"rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "pidfd_send_signal": (424, 424)},
    **{"pidfd_open": (434, 434), "pidfd_getfd": (438, 438)},
    **{"io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427)},
    **{"creat": (85, None), "truncate": (76, 45), "open_by_handle_at": (304, 265), "mkdir": (83, None)},
    **{"mkdirat": (258, 34), "mknod": (133, None), "mknodat": (259, 33), "rmdir": (84, None), "unlink": (87, None)},
    **{"unlinkat": (263, 35), "rename": (82, None), "renameat": (264, 38), "renameat2": (316, 276), "link": (86, None)},
    **{"linkat": (265, 37), "symlink": (88, None), "symlinkat": (266, 36), "chmod": (90, None), "fchmod": (91, 52)},
    **{"fchmodat": (268, 53), "fchmodat2": (452, 452), "chown": (92, None), "lchown": (94, None), "fchown": (93, 55)},
    **{"fchownat": (260, 54), "utime": (132, None), "utimes": (235, None), "utimensat": (280, 88)},
    **{"futimesat": (261, None), "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7)},
    **{"removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16), "setxattrat": (463, 463)},
    **{"mount": (165, 40), "umount2": (166, 39), "open_tree": (428, 428), "move_mount": (429, 429)},
    **{"fsopen": (430, 430), "fsmount": (432, 432), "mount_setattr": (442, 442), "chroot": (161, 51)},
    **{"unshare": (272, 97), "setns": (308, 268), "add_key": (248, 217), "request_key": (249, 218)},
    **{"keyctl": (250, 219), "perf_event_open": (298, 241), "bpf": (321, 280), "userfaultfd": (323, 282)},
}
_ABSENT = {"clone3": (435, 435), "openat2": (437, 437)}
"""Their arguments lie where a filter cannot look; the C library then uses `clone` and `openat`, which have theirs in
view."""
_OPEN, _OPENAT, _CLONE = (2, None), (257, 56), (56, 220)
_KILL, _TGKILL, _PRLIMIT = (62, 129), (234, 131), (302, 261)
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column above, name of the architecture
_OTHER_NUMBERS = 0x40000000  # of x86-64's second set of calls, which no filter by number would know
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_CLONE_THREAD = 0x10000
_SET_NO_NEW_PRIVS, _SET_FILTER, _ALL_THREADS = 38, 1, 1
_SECCOMP = (317, 277)

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERROR, _END_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER, _MACHINE, _ARGUMENT = 0, 4, 16  # where they lie in what the filter is shown

Instruction = tuple[int, int, int, int]
"""Operation, how many to skip if so, how many if not, operand."""


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def obstacle() -> str | None:
    """Why this machine cannot have the filter, as far as can be told without trying."""
    if sys.platform != "linux":
        return f"{platform.system()} has no way that needs no administrator"
    if platform.machine() not in _MACHINES or sys.maxsize < 2**32:
        return f"there is no filter for {platform.machine()}, only for 64 bits of x86 and ARM"
    return None


def enter() -> str | None:
    """Put this process and all its threads under the filter, for good; the reason if that fails."""
    if (reason := obstacle()) is not None:
        return reason
    column, _ = _MACHINES[platform.machine()]
    program = b"".join(struct.pack("<HBBI", *instruction) for instruction in _filter(os.getpid()))
    libc = ctypes.CDLL(None, use_errno=True)
    filter_ = _Program(len(program) // 8, program)
    if libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.syscall(
        _SECCOMP[column], _SET_FILTER, _ALL_THREADS, ctypes.byref(filter_)
    ):
        return f"this system forbids it ({os.strerror(ctypes.get_errno()).lower()})"
    return None


def _filter(process: int) -> Iterator[Instruction]:
    """The instructions, in the order in which they are tried; process: the one that may send signals to itself."""
    column, machine = _MACHINES[platform.machine()]
    refuse, absent = (_RETURN, 0, 0, _ERROR | errno.EPERM), (_RETURN, 0, 0, _ERROR | errno.ENOSYS)
    allow = (_RETURN, 0, 0, _ALLOW)
    yield from [(_LOAD, 0, 0, _MACHINE), (_EQUAL, 1, 0, machine), (_RETURN, 0, 0, _END_PROCESS)]
    yield from [(_LOAD, 0, 0, _NUMBER), (_AT_LEAST, 0, 1, _OTHER_NUMBERS), refuse]
    for calls, answer in ((_REFUSED, refuse), (_ABSENT, absent)):
        for numbers in calls.values():
            if (number := numbers[column]) is not None:
                yield from [(_EQUAL, 0, 1, number), answer]
    asked = [
        (_OPEN, 1, (_ANY_BIT, 1, 0, _WRITING)),
        (_OPENAT, 2, (_ANY_BIT, 1, 0, _WRITING)),
        (_CLONE, 0, (_ANY_BIT, 0, 1, _CLONE_THREAD)),
        (_KILL, 0, (_EQUAL, 0, 1, process)),
        (_TGKILL, 0, (_EQUAL, 0, 1, process)),
        (_PRLIMIT, 0, (_EQUAL, 0, 1, 0)),
    ]
    for numbers, argument, allowed in asked:  # by an argument: allowed skips nothing, and 1 where it is not
        if (number := numbers[column]) is not None:
            yield from [(_EQUAL, 0, 4, number), (_LOAD, 0, 0, _ARGUMENT + 8 * argument), allowed, allow, refuse]
    yield allow
