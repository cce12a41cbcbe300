"""Which system calls candidate code may not make: those that reach for the kernel's rarely needed parts.

The filter is a program for the kernel (seccomp(2)), and names what Docker's default profile denies to a container
without capabilities, and io_uring. Denied calls fail with EPERM; clone3, whose flags a filter cannot see, is said not
to exist, and C libraries then use clone.
"""

from __future__ import annotations

import functools
import platform
import struct
from collections.abc import Sequence

EPERM, ENOSYS = 1, 38
ALLOW, FAIL = 0x7FFF0000, 0x00050000
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data
NEW_NAMESPACES = 0x7E020000  # every CLONE_NEW* flag of clone(2)
X32 = 0x40000000  # numbers from here on are another table of the same architecture

# Name, number on x86_64, number on aarch64.
DENIED = (
    *(("ptrace", 101, 117), ("process_vm_readv", 310, 270), ("process_vm_writev", 311, 271), ("kcmp", 312, 272)),
    *(("pidfd_getfd", 438, 438), ("add_key", 248, 217), ("request_key", 249, 218), ("keyctl", 250, 219)),
    *(("bpf", 321, 280), ("perf_event_open", 298, 241), ("userfaultfd", 323, 282), ("syslog", 103, 116)),
    *(("io_uring_setup", 425, 425), ("io_uring_enter", 426, 426), ("io_uring_register", 427, 427)),
    *(("mount", 165, 40), ("umount2", 166, 39), ("pivot_root", 155, 41), ("chroot", 161, 51)),
    *(("open_tree", 428, 428), ("move_mount", 429, 429), ("fsopen", 430, 430), ("fsconfig", 431, 431)),
    *(("fsmount", 432, 432), ("fspick", 433, 433), ("mount_setattr", 442, 442), ("fanotify_init", 300, 262)),
    *(("name_to_handle_at", 303, 264), ("open_by_handle_at", 304, 265), ("lookup_dcookie", 212, 18)),
    *(("unshare", 272, 97), ("setns", 308, 268), ("kexec_load", 246, 104), ("kexec_file_load", 320, 294)),
    *(("init_module", 175, 105), ("finit_module", 313, 273), ("delete_module", 176, 106), ("reboot", 169, 142)),
    *(("swapon", 167, 224), ("swapoff", 168, 225), ("acct", 163, 89), ("quotactl", 179, 60), ("vhangup", 153, 58)),
    *(("settimeofday", 164, 170), ("clock_settime", 227, 112), ("clock_adjtime", 305, 266), ("adjtimex", 159, 171)),
    *(("sethostname", 170, 161), ("setdomainname", 171, 162)),
)
MACHINES = {"x86_64": (1, 0xC000003E, 56), "aarch64": (2, 0xC00000B7, 220)}  # column, architecture, number of clone
CLONE3 = 435


@functools.cache
def program(machine: str = "") -> bytes:
    """The filter for this machine; empty where the numbers of its system calls are not known here."""
    known = MACHINES.get(machine or platform.machine())
    if known is None:
        return b""
    column, architecture, clone = known
    return _assemble(architecture, clone, [int(row[column]) for row in DENIED])


def _assemble(architecture: int, clone: int, denied: Sequence[int]) -> bytes:
    # Code, value, and where to go on: by default with the next one.
    body = [
        (LOAD, ARCHITECTURE, "", ""),
        (EQUAL, architecture, "", "refuse"),
        (LOAD, NUMBER, "", ""),
        (AT_LEAST, X32, "unknown", ""),
        (EQUAL, CLONE3, "unknown", ""),
        (EQUAL, clone, "clone", "others"),
    ]
    places = {"clone": len(body)}
    body += [(LOAD, FIRST_ARGUMENT, "", ""), (ANY_BIT, NEW_NAMESPACES, "refuse", "allow")]
    places["others"] = len(body)
    body += [(EQUAL, number, "refuse", "") for number in denied]
    for name, answer in (("allow", ALLOW), ("refuse", FAIL | EPERM), ("unknown", FAIL | ENOSYS)):
        places[name] = len(body)
        body.append((RETURN, answer, "", ""))
    jumps = [[places[label] - at - 1 if label else 0 for label in row[2:]] for at, row in enumerate(body)]
    rows = zip(body, jumps, strict=True)
    return b"".join(struct.pack("=HBBI", code, yes, no, value) for (code, value, *_), (yes, no) in rows)
