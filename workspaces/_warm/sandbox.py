"""Part of the server of warm starts: a job's sandbox, built by bwrap and held open, and the ways into it."""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eidothea.workspaces import _launch
else:  # in the server's sandbox these files lie side by side, and there is no Eidothea
    import _launch

HOLDER = "/usr/bin/cat"  # waits for the end of its input; what it echoes shows that the sandbox is complete
NS_GET_USERNS = 0xB701  # ioctl_ns(2): the user namespace that owns another namespace
ENTERED = ("cgroup", "ipc", "uts", "net", "mnt", "user")  # in this order: rights over the others end with the last
libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Sandbox:
    """Descriptors of a sandbox's namespaces; `outer` is the user namespace that owns the others."""

    namespaces: dict[str, int]
    outer: int


def check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


class Building:
    """A sandbox that bwrap is building."""

    def __init__(self, words: list[str]) -> None:
        (hold, self.holding), (self.echo, echo), (self.complaints, complain), (self.status, status) = (
            os.pipe() for _ in range(4)
        )
        moved = [(hold, 0), (echo, 1), (complain, 2), (status, 3)]
        actions = [(os.POSIX_SPAWN_DUP2, source, target) for source, target in moved]
        command = [*words[:1], "--json-status-fd", "3", *words[1:], "--", HOLDER]
        os.posix_spawn(words[0], command, {}, file_actions=actions, setsigdef=[signal.SIGPIPE, signal.SIGTERM])
        for fd in (hold, echo, complain, status):
            os.close(fd)

    def finish(self) -> Sandbox:
        """Wait until it is complete; raises OSError with bwrap's complaint when that fails."""
        os.write(self.holding, b".")  # this end stays open as long as we live
        if os.read(self.echo, 1) != b".":
            said = os.read(self.complaints, 4096).decode(errors="replace").strip()
            raise OSError(f"bwrap made no sandbox: {said or 'no reason given'}")
        first = json.loads(os.read(self.status, 4096).splitlines()[0])["child-pid"]
        for fd in (self.echo, self.complaints, self.status):
            os.close(fd)
        return namespaces_of(_only_child(first))


def _only_child(pid: int) -> int:
    """The process that holds the sandbox; of bwrap's own not every user may look into the namespaces."""
    return next(child for child, parent in _launch.parents().items() if parent == pid)


def namespaces_of(pid: int) -> Sandbox:
    found = {name: os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY) for name in (*ENTERED, "pid")}
    outer = int(fcntl.ioctl(found["mnt"], NS_GET_USERNS))
    os.set_inheritable(outer, False)
    return Sandbox(found, outer)


def enter_as_parent(box: Sandbox) -> None:
    """Make this process one whose children are in the sandbox's process namespace, and cannot see it."""
    check(libc.setns(box.outer, 0), "setns user")
    check(libc.setns(box.namespaces["pid"], 0), "setns pid")
    _launch.prctl(_launch.PR_SET_PDEATHSIG, signal.SIGTERM)  # not before: it is cleared when rights change


def enter(box: Sandbox) -> None:
    """Enter all other namespaces of the sandbox, and with them its root."""
    for name in ENTERED:
        if name != "user" or not os.path.sameopenfile(box.namespaces["user"], box.outer):
            check(libc.setns(box.namespaces[name], 0), f"setns {name}")
