"""Look at a running job from outside: memory and processes of its tree, bytes in its output folder."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from eidothea.state.task import Limits
from eidothea.state.trial import Outcome

MB = 1024 * 1024
MAX_FILES = 10_000  # in the output folder: more is an inode flood, not a result
TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass
class Watch:
    """Checks a job against its limits; `breach` is empty while all of them hold.

    `sandboxed` says that what the launcher started are the workspace's own processes, of which `holders` more are
    kept inside the sandbox; the candidate is charged for none of them.
    """

    pid: int
    out: Path
    limits: Limits
    sandboxed: bool = False
    holders: int = 0
    peak_bytes: int = 0
    cpu_s: float = 0.0

    def breach(self) -> tuple[Outcome, str] | None:
        """The first limit that is overrun now, with a sentence that says so."""
        found = tree(self.pid, self.sandboxed)
        processes, limit = len(found.members) - self.holders, self.limits.memory_mb * MB
        self.cpu_s = max(self.cpu_s, found.cpu_s)
        if processes > self.limits.pids:
            return "pids", f"{processes} processes are more than the limit of {self.limits.pids}"
        resident = sum(process.resident for process in found.members)
        if resident > limit:  # pages that processes share were counted for each of them
            resident = sum(proportional(process) for process in found.members)
        self.peak_bytes = max(self.peak_bytes, resident)
        if resident > limit:
            return "memory", f"{resident // MB} MB of memory are more than the limit of {self.limits.memory_mb} MB"
        return self.disk_breach()

    def disk_breach(self) -> tuple[Outcome, str] | None:
        size, files = folder_size(self.out, MAX_FILES)
        if files > MAX_FILES:
            return "disk", f"more than {MAX_FILES} files were written"
        if size >= self.limits.disk_mb * MB:
            return "disk", f"{size // MB} MB on disk reach the limit of {self.limits.disk_mb} MB"
        return None


class Process(NamedTuple):
    """One process of the machine, as far as limits go."""

    pid: int
    parent: int
    started: int
    cpu_s: float
    resident: int


class Tree(NamedTuple):
    """The candidate's processes, and the processor time of the whole job."""

    members: list[Process]
    cpu_s: float


def tree(pid: int, sandboxed: bool) -> Tree:
    """What runs below a launcher.

    The sandbox's own processes are known by their place, not by a name, which any process can give itself: the
    launcher's first child is bwrap, and the child of that is the first process inside.
    """
    children = defaultdict(list)
    for process in processes():
        children[process.parent].append(process)
    members = sorted(children[pid], key=lambda p: (p.started, p.pid))
    own: list[Process] = []
    if sandboxed and members:
        first = children[members[0].pid]
        own = [members[0], *first]
        members = [*members[1:], *(p for init in first for p in children[init.pid])]
    found: list[Process] = []
    while members:
        found += members
        members = [p for member in members for p in children[member.pid]]
    return Tree(found, sum(p.cpu_s for p in (*own, *found)))


def processes() -> Iterator[Process]:
    for name in os.listdir("/proc"):  # noqa: PTH208 - many times a second
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123
                    fields = file.read().rpartition(b")")[2].split()
            except OSError:  # it has just ended
                continue
            # Fields 4, 14 to 17, 22 and 24 of proc_pid_stat(5): parent, times of it and of its ended children, start,
            # pages.
            ticks = sum(int(field) for field in fields[11:15])
            yield Process(int(name), int(fields[1]), int(fields[19]), ticks / TICK, int(fields[21]) * PAGE)


def proportional(process: Process) -> int:
    """A process's memory in bytes, each shared page divided by the number of its users.

    A process can close that to us, but then it is charged for all that it sees.
    """
    try:
        with open(f"/proc/{process.pid}/smaps_rollup", "rb") as file:  # noqa: PTH123
            return next(1024 * int(line.split()[1]) for line in file if line.startswith(b"Pss:"))
    except (OSError, StopIteration):
        return process.resident


def folder_size(folder: Path, stop_at: int) -> tuple[int, int]:
    """Bytes and number of entries under a folder, links not followed; gives up after `stop_at` entries.

    The bytes of a file are the larger of its length and of what it takes on disk.
    """
    size = files = 0
    waiting = [os.fspath(folder)]
    while waiting and files <= stop_at:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    files += 1
                    status = entry.stat(follow_symlinks=False)
                    size += max(status.st_size, status.st_blocks * 512)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    if files > stop_at:
                        break
        except OSError:  # vanished, or closed by its owner: what it holds still counts against the file-size limit
            continue
    return size, files
