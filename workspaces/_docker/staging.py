"""The folders of a container that was started before its job was known, and how a job gets into and out of them.

The files of a job are put in as hard links, which the container sees read-only; results are moved, never read, so it
does not matter what they are. Both need one file system.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from pathlib import Path

from eidothea.protocols import Job
from eidothea.workspaces._docker import leftovers

PREFIX = "eidothea-warm-"
MAX_FILES = 10_000  # a job with more starts cold: so many links take as long


class Staging:
    """`workspace` becomes `/workspace`, and `out` what is below that."""

    def __init__(self, beside: Path) -> None:
        pid = os.getpid()
        self.folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{pid}-{leftovers.started(pid)}-", dir=beside))
        self.workspace, self.out = self.folder / "workspace", self.folder / "out"
        for path in (self.workspace, self.out, self.workspace / "tree", self.workspace / "out"):
            path.mkdir()
            path.chmod(0o755)

    def fill(self, job: Job) -> None:
        """Put a job in. Raises OSError when that cannot be done; then nothing of it has changed."""
        room = MAX_FILES
        for name, path in job.mounts.items():
            room = link(path.resolve(), self.workspace / name, room)
        try:
            move(job.out, self.out)
        except OSError:
            move(self.out, job.out)
            raise

    def take_back(self, out: Path) -> None:
        """Move the results to where they belong. Raises OSError when the disk does not let us."""
        self.out.chmod(0o755)
        move(self.out, out)

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def place(job: Job) -> Path:
    """Where the staging folders for jobs like this one can be: on the file system of its results."""
    temporary = Path(tempfile.gettempdir())
    return temporary if temporary.stat().st_dev == job.out.stat().st_dev else job.out.parent


def link(source: Path, target: Path, room: int) -> int:
    """Hard links to all that is in `source`, folders made anew; returns how many more there may be."""
    if room <= 0:
        raise OSError(f"{source} and its like hold more than {MAX_FILES} files")
    room -= 1
    status = source.lstat()
    if not stat.S_ISDIR(status.st_mode):
        os.link(source, target, follow_symlinks=False)
        return room
    target.mkdir(exist_ok=True)
    with os.scandir(source) as entries:
        for entry in entries:
            room = link(Path(entry.path), target / entry.name, room)
    shutil.copystat(source, target)
    return room


def move(source: Path, target: Path) -> None:
    """Everything in one folder to another one of the same file system, whatever it is."""
    for name in os.listdir(source):  # noqa: PTH208 - names that are no text, too
        path = source / name
        status = path.lstat()
        closed = stat.S_ISDIR(status.st_mode) and not status.st_mode & stat.S_IWUSR
        if closed:  # its entry for its parent changes
            change_mode(path, 0o700)
        path.rename(target / name)
        if closed:
            change_mode(target / name, stat.S_IMODE(status.st_mode))


def change_mode(folder: Path, mode: int) -> None:
    """Like chmod, but never through a link."""
    descriptor = os.open(folder, os.O_PATH | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        Path(f"/proc/self/fd/{descriptor}").chmod(mode)
    finally:
        os.close(descriptor)


def sweep() -> None:
    """Remove the staging folders of our dead processes."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        pid, _, start = path.name.removeprefix(PREFIX).rpartition("-")[0].partition("-")
        if pid.isdigit() and leftovers.started(int(pid)) != start and path.lstat().st_uid == os.geteuid():
            shutil.rmtree(path, ignore_errors=True)
