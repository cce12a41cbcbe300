"""Part of the server of warm starts: make a forked process an inhabitant of a sandbox, with no rights beyond it."""

from __future__ import annotations

import ctypes
import os
import signal
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eidothea.workspaces import _launch
    from eidothea.workspaces._warm import sandbox
else:  # in the server's sandbox these files lie side by side, and there is no Eidothea
    import _launch
    import sandbox

PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_MM, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 4, 22, 24, 35, 38, 47
SECCOMP_MODE_FILTER, PR_CAP_AMBIENT_CLEAR_ALL, PR_SET_MM_MAP = 2, 4, 14
CAPABILITY_VERSION_3 = 0x20080522
PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS = 3, 0x22
NO_RIGHTS = {"CapInh": "0", "CapPrm": "0", "CapEff": "0", "CapBnd": "0", "CapAmb": "0", "NoNewPrivs": "1"}
libc = sandbox.libc


def become(order: dict[str, Any], box: sandbox.Sandbox, outputs: tuple[int, int]) -> None:
    """Enter the sandbox and give up all that its inhabitant must not have. Raises OSError when anything fails."""
    sandbox.enter(box)
    os.setsid()
    os.chdir(order["folder"])
    give_up_rights()
    null = os.open("/dev/null", os.O_RDONLY)
    for fd, target in zip((null, *outputs), range(3), strict=True):
        os.dup2(fd, target)
    environment = order["environment"]
    os.environ.clear()
    os.environ.update(environment)
    name_memory(order["command"], environment)
    _launch.limit(order["limits"])
    # Both are cleared when rights change. A process may look at itself in /proc only if it may be dumped.
    _launch.prctl(PR_SET_DUMPABLE, 1)
    _launch.prctl(_launch.PR_SET_PDEATHSIG, signal.SIGKILL)
    filter_calls(bytes.fromhex(order["filter"]))
    os.closerange(3, 1 << 16)


def give_up_rights() -> None:
    """Drop every capability for good."""
    sandbox.check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    number = 0
    while libc.prctl(PR_CAPBSET_DROP, number, 0, 0, 0) == 0:
        number += 1
    header, nothing = struct.pack("=Ii", CAPABILITY_VERSION_3, 0), bytes(24)
    sandbox.check(libc.capset(header, nothing), "capset")
    with open("/proc/self/status") as file:  # noqa: PTH123
        status = dict(line.rstrip("\n").partition(":\t")[::2] for line in file)
    held = {name: status.get(name, "?").lstrip("0") or "0" for name in NO_RIGHTS}
    if held != NO_RIGHTS:
        raise OSError(f"rights are left: {held}")


def filter_calls(program: bytes) -> None:
    """See `_seccomp.py`."""
    if program:
        buffer = ctypes.create_string_buffer(program, len(program))
        rules = struct.pack("@HP", len(program) // 8, ctypes.addressof(buffer))
        sandbox.check(libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, rules, 0, 0), "seccomp")


def name_memory(command: list[str], environment: dict[str, str]) -> None:
    """Have /proc show the job's command and environment; where the kernel cannot, it goes on showing the server's."""
    words = b"".join(os.fsencode(word) + b"\0" for word in command)
    settings = b"".join(os.fsencode(f"{name}={value}") + b"\0" for name, value in environment.items())
    libc.mmap.restype = libc.sbrk.restype = ctypes.c_void_p
    size = len(words) + len(settings)
    place = libc.mmap(None, ctypes.c_size_t(size), PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, ctypes.c_long(0))
    if place in (None, ctypes.c_void_p(-1).value):
        return
    ctypes.memmove(place, words + settings, size)
    with open("/proc/self/stat", "rb") as file:  # noqa: PTH123
        fields = [int(field) for field in file.read().rpartition(b")")[2].split()[1:]]
    code, end_code, stack = fields[22:25]
    data, end_data, heap = fields[41:44]
    middle = place + len(words)
    areas = (code, end_code, data, end_data, heap, libc.sbrk(0), stack, place, middle, middle, place + size)
    layout = struct.pack("=11QQIi", *areas, 0, 0, -1)
    libc.prctl(PR_SET_MM, PR_SET_MM_MAP, layout, ctypes.c_ulong(len(layout)), 0)
