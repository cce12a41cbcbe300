"""Start one command under limits, outlive it, and leave none of its descendants behind.

Run as a program with `python -I -S` and an empty environment, never imported by Eidothea: a hook between fork and
exec is unsafe in a process with threads. It is the child subreaper of everything below it (prctl(2)), so that
double forks and new sessions stay in reach, and it kills all of it when the command ends, when it gets SIGTERM, or
when the thread that started it dies. Before it exits it writes `STATUS CPU_SECONDS PEAK_KIB` to the descriptor REPORT,
where STATUS is the command's wait status.

    _launch.py PARENT REPORT FOLDER  GROUP=/sys/fs/… RLIMIT_CORE=0 … --  PATH=/bin … --  COMMAND …

It starts for every job, so it imports only what is compiled in: json and signal would double its start-up time.
The server of warm starts (`_warm/server.py`) has it as a module, and runs jobs below itself in the same way.
"""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]
import ctypes
import os
import resource
import sys

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
OOM_SCORE = "500"
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def prctl(option: int, value: int) -> None:
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def parents() -> dict[int, int]:
    """Every process of the machine with its parent."""
    found = {}
    for name in os.listdir("/proc"):  # noqa: PTH208 - see the start-up time above
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as stat:  # noqa: PTH123
                    found[int(name)] = int(stat.read().rpartition(b")")[2].split()[1])
            except OSError:
                continue  # it has just ended
    return found


def descendants() -> list[int]:
    table, family = parents(), {os.getpid()}
    grown = True
    while grown:
        new = {pid for pid, parent in table.items() if parent in family} - family
        family |= new
        grown = bool(new)
    return [pid for pid in family if pid != os.getpid()]


def kill_all() -> None:
    for pid in descendants():
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def pairs(words: list[str]) -> list[tuple[str, str]]:
    return [(name, value) for name, _, value in (word.partition("=") for word in words)]


def volunteer() -> None:
    """When the whole machine is short of memory, let the kernel end this process, and its children, before others."""
    with open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123
        file.write(OOM_SCORE)


def limit(words: list[str]) -> None:
    """Put the calling process under limits: in control groups, and under those of setrlimit(2)."""
    for name, value in pairs(words):
        if name == "GROUP":
            with open(f"{value}/cgroup.procs", "wb", 0) as procs:  # noqa: PTH123
                procs.write(b"0")
            continue
        kind = getattr(resource, name)
        _, most = resource.getrlimit(kind)
        wanted = int(value) if most == resource.RLIM_INFINITY else min(int(value), most)
        resource.setrlimit(kind, (wanted, wanted))


def start(report: int, folder: str, words: list[str]) -> int:
    """Fork and exec the command under its limits; the child's failure to start is exit status 127."""
    pid = os.fork()
    if pid:
        return pid
    try:
        first = words.index("--")
        second = words.index("--", first + 1)
        command = words[second + 1 :]
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.close(report)
        volunteer()
        limit(words[:first])
        if folder:
            os.chdir(folder)
        os.execve(command[0], command, dict(pairs(words[first + 1 : second])))
    except OSError as error:
        os.write(2, f"{error.filename or words[-1]}: {error.strerror}\n".encode())
    finally:
        os._exit(127)


def reap(main: int) -> int:
    """Wait for the command and for everything below; returns the command's wait status."""
    status = -1
    while True:
        try:
            pid, ended = os.waitpid(-1, 0)
        except ChildProcessError:
            return status
        if pid == main:
            status = ended
        if status != -1:
            kill_all()


def run(parent: int, report: int, begin: Callable[[], int]) -> None:
    """Run what `begin` starts (it returns the process to wait for) to its end, and report it."""
    prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    if os.getppid() != parent:
        return
    stops: list[int] = []

    def stop(number: int, _: object) -> None:
        stops.append(number)
        kill_all()

    signal.signal(signal.SIGTERM, stop)
    main = begin()
    if stops:  # asked to stop before there was anything to kill
        kill_all()
    status = reap(main)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    os.write(report, f"{status} {used.ru_utime + used.ru_stime} {used.ru_maxrss}".encode())


if __name__ == "__main__":
    command = sys.argv[4:]
    run(int(sys.argv[1]), int(sys.argv[2]), lambda: start(int(sys.argv[2]), sys.argv[3], command))
    os._exit(0)  # there is nothing to take apart, and somebody waits
