"""Look at a running job from outside: memory and processes of its tree, bytes in its output folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import psutil

from eidothea.state.task import Limits
from eidothea.state.trial import Outcome

MB = 1024 * 1024
MAX_FILES = 10_000  # in the output folder: more is an inode flood, not a result
OVERHEAD = frozenset({"bwrap"})  # processes of the workspace itself, which the candidate is not charged for


@dataclass
class Watch:
    """Checks a job against its limits; `breach` is empty while all of them hold."""

    pid: int
    out: Path
    limits: Limits
    peak_bytes: int = 0
    cpu_s: float = 0.0

    def breach(self) -> tuple[Outcome, str] | None:
        """The first limit that is overrun now, with a sentence that says so."""
        processes, resident, cpu_s = tree(self.pid)
        self.cpu_s = max(self.cpu_s, cpu_s)
        self.peak_bytes = max(self.peak_bytes, resident)
        if processes > self.limits.pids:
            return "pids", f"{processes} processes are more than the limit of {self.limits.pids}"
        if resident > self.limits.memory_mb * MB:
            return "memory", f"{resident // MB} MB of memory are more than the limit of {self.limits.memory_mb} MB"
        return self.disk_breach()

    def disk_breach(self) -> tuple[Outcome, str] | None:
        size, files = folder_size(self.out, MAX_FILES)
        if files > MAX_FILES:
            return "disk", f"more than {MAX_FILES} files were written"
        if size >= self.limits.disk_mb * MB:
            return "disk", f"{size // MB} MB on disk reach the limit of {self.limits.disk_mb} MB"
        return None


def tree(pid: int) -> tuple[int, int, float]:
    """Number of processes below `pid`, their resident memory in bytes and their processor time in seconds."""
    count, resident, cpu_s = 0, 0, 0.0
    try:
        children = psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return 0, 0, 0.0
    for process in children:
        try:
            cpu_s += sum(process.cpu_times()[:4])
            if process.name() in OVERHEAD:
                continue
            resident += process.memory_info().rss
            count += 1
        except psutil.Error:
            continue
    return count, resident, cpu_s


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
