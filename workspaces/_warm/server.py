"""The server of warm starts: imports what experiments import, then forks a process for every job.

It runs in a sandbox that has the root of a job's (the same system, packages and lab at the same places, read-only), a
clean environment and, at HOST, this machine's files, from which it has bwrap build each job's sandbox. It never runs
candidate code and never reads what a job is about. For each job it forks a launcher, and that one

1. has bwrap build the job's sandbox with the very arguments of a cold start, holding it open with a process that waits;
2. enters the sandbox's user namespace, so that its next child will be in the sandbox's process namespace, and forks;
3. and that child enters the other namespaces, gives up every right, closes every descriptor, and runs the script as
   `python script` would.

So nothing can pass from one job to the next: each starts from the server's memory, which no job can reach, since all
that it can see is its own sandbox. When the other end of CONTROL closes, the server ends, and with it, as the first
process of its namespace, all jobs.

    server.py CONTROL MODULE …
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import socket
import sys
import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eidothea.workspaces import _launch
    from eidothea.workspaces._warm import candidate, interpreter, sandbox
else:  # in the server's sandbox these files lie side by side, and there is no Eidothea
    import _launch
    import candidate
    import interpreter
    import sandbox

HELPERS = ("_launch", "candidate", "interpreter", "sandbox")
MAX_FDS, MAX_ORDER = 16, 1 << 20
SETUP_FAILED = -2  # as status in a report: the candidate was never started


class Candidate(BaseException):
    """Carries a job's order up to the top of the stack, in the process that is to run it."""

    def __init__(self, order: dict[str, Any]) -> None:
        super().__init__()
        self.order = order


def preload(names: list[str]) -> None:
    """Import what is here of these modules, as a job's interpreter would find them."""
    own, sys.path[:1] = sys.path[0], []
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError:
            continue  # then a job cannot have it, either
    sys.path.insert(0, own)
    for finalizer in list(weakref.finalize._registry):  # type: ignore[attr-defined]
        finalizer.atexit = False  # nothing of the server's is taken apart in a job; see `Script.leave`
    gc.collect()
    gc.freeze()  # the collector would else touch, and so copy, every page in every job


def condition() -> dict[str, object]:
    """What the other side must know: the modules that jobs get ready-made, and memory that they would share."""
    with open("/proc/self/maps") as file:  # noqa: PTH123
        lines = [line.split() for line in file]
    shared = [line[-1] for line in lines if line[1][3] == "s" and "w" in line[1]]
    names = {name.partition(".")[0] for name in sys.modules} - {"__main__", *HELPERS}
    return {"modules": sorted(names), "shared": shared}


def serve(control: socket.socket) -> None:
    """Fork for every job until the other end closes; raises Candidate in a process that is to run one."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # ended launchers need no waiting for
    while True:
        word, fds, _, _ = socket.recv_fds(control, 64, 1, socket.MSG_CMSG_CLOEXEC)
        if not word:
            os._exit(0)
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            control.close()
            launch(socket.socket(fileno=fds[0]))
            os._exit(0)
        for fd in fds:
            os.close(fd)


def launch(connection: socket.socket) -> None:
    """Run one job below this process; see `_launch.py`."""
    text, fds, _, _ = socket.recv_fds(connection, MAX_ORDER, MAX_FDS, socket.MSG_CMSG_CLOEXEC)
    order = json.loads(text)
    out, err, report, *groups = fds
    connection.send(b"started")  # with our credentials, by which the other side learns our process
    connection.close()
    try:
        _launch.run(os.getppid(), report, lambda: begin(order, out, err, groups))
    except Exception as error:
        _launch.kill_all()
        _launch.reap(0)
        os.write(report, f"{SETUP_FAILED} 0 0 {type(error).__name__}: {error}"[:4000].encode())


def begin(order: dict[str, Any], out: int, err: int, groups: list[int]) -> int:
    """Build the sandbox and start the candidate in it; returns its process."""
    _launch.volunteer()
    building = sandbox.Building(order["sandbox"])
    for group in groups:  # the kernel takes a while for this, but bwrap is at work meanwhile
        os.write(group, b"0")
    box = building.finish()
    sandbox.enter_as_parent(box)
    trouble, say = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(trouble)
        try:
            candidate.become(order, box, (out, err))
        except Exception as error:
            os.write(say, f"{type(error).__name__}: {error}".encode())
            os._exit(1)
        raise Candidate(order)  # the descriptor `say` has been closed with all others
    for fd in (say, out, err, *groups, *box.namespaces.values(), box.outer):
        os.close(fd)
    with open(trouble, "rb") as file:  # noqa: PTH123
        said = file.read().decode()
    if said:
        raise RuntimeError(said)
    return child


if __name__ == "__main__":
    _control = socket.socket(fileno=int(sys.argv[1]))
    preload(sys.argv[2:])
    _control.send(json.dumps(condition()).encode())
    try:
        serve(_control)
    except Candidate as found:
        _order = found.order
    # Only a candidate's process comes here, and of the server's frames there is none but this one.
    _script, _error = interpreter.Script(_order["command"], HELPERS), None
    try:
        exec(_script.code(), _script.main.__dict__)
    except BaseException as _raised:
        _error = _raised
    _script.leave(_error)
