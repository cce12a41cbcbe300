"""Keep a server: start it, and end it with all that it started when its owner says so or is gone.

    python -I _keeper.py GRACE COMMAND …

Run as a program, never imported. Standard input is a pipe from the owner; its end is the order to stop, and the
kernel ends it even when the owner is killed. Stopping is SIGTERM to the server and SIGKILL to what is left after
GRACE seconds. The keeper is the child subreaper of everything below it (prctl(2)): vLLM's engine outlives a front
end that is killed, holds the GPU's memory, and stays in reach here only for that reason. The exit status is the
server's, or 128 and the number of the signal that killed it.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys

import psutil

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
POLL_S = 0.1


def prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def left() -> list[psutil.Process]:
    """Everything below the keeper that still runs."""
    return [p for p in psutil.Process().children(recursive=True) if p.is_running()]


def stop(grace: float) -> None:
    """End everything below: the server is asked, what does not go is killed."""
    found = left()
    for process in psutil.Process().children():
        process.terminate()
    psutil.wait_procs(found, timeout=grace)
    kill()


def kill() -> None:
    """Kill everything below, also what is started meanwhile."""
    while found := left():
        for process in found:
            process.kill()
        psutil.wait_procs(found, timeout=1)


def run(grace: float, command: list[str]) -> int:
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    orders: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: orders.append(number))
    server = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        # Should the keeper itself be killed, the server is asked to stop. Safe: there is one thread here.
        preexec_fn=lambda: prctl(PR_SET_PDEATHSIG, signal.SIGTERM),
    )
    while server.poll() is None and not orders:
        if select.select([0], [], [], POLL_S)[0] and not os.read(0, 1):
            orders.append(0)
    if orders and server.poll() is None:
        stop(grace)
    kill()
    code = server.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(run(float(sys.argv[1]), sys.argv[2:]))
