"""Take what a job left in its output folder, trusting nothing about it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from eidothea.state.task import Limits

ALLOWED = (".safetensors", ".json", ".jsonl")
PICKLES = (".pkl", ".pickle", ".pt", ".pth", ".ckpt", ".joblib", ".npy", ".npz", ".bin", ".dill", ".zip")
MAX_FILES, MAX_DEPTH = 256, 8
MB = 1024 * 1024
MAX_PREDICTIONS_MB = 64


class Refused(Exception):
    """A file may not be taken; the message names it and says why."""


def collect(out: Path, into: Path, limits: Limits) -> list[str]:
    """Move the artifacts of `out` to the folder `into`; returns their names relative to it, sorted.

    The job must be over, both folders on one filesystem. Raises Refused for anything that is not a plain file of
    an allowed kind, and moves nothing then.
    """
    taken: dict[str, Path] = {}
    out.chmod(0o755)  # the job may have closed it
    room = limits.disk_mb * MB
    for base, folders, files, descriptor in os.fwalk(out, follow_symlinks=False):
        inner = Path(base).relative_to(out)
        if len(inner.parts) > MAX_DEPTH:
            raise Refused(f"{shown(str(inner))}: folders are nested deeper than {MAX_DEPTH}")
        for name in (*folders, *files):
            path = str(inner / name)
            check_name(path)
            if stat.S_ISLNK(os.lstat(name, dir_fd=descriptor).st_mode):
                raise Refused(f"{shown(path)}: is a symbolic link")
            if name in folders:
                continue
            if len(taken) == MAX_FILES:
                raise Refused(f"more than {MAX_FILES} files were written")
            check_kind(path)
            room -= check_file(name, path, descriptor, room)
            taken[path] = Path(base, name)
    for path, source in taken.items():
        target = into / path
        target.parent.mkdir(parents=True, exist_ok=True)
        move(source, target, path)
    return sorted(taken)


def take(out: Path, name: str, into: Path) -> bool:
    """Move the one file `out/name` to `into`; False when it is not there. Raises Refused when it is no plain file."""
    out.chmod(0o755)  # the job may have closed it
    descriptor = os.open(out, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        os.lstat(name, dir_fd=descriptor)
        check_file(name, name, descriptor, MAX_PREDICTIONS_MB * MB)
    except FileNotFoundError:
        return False
    finally:
        os.close(descriptor)
    move(out / name, into, name)
    return True


def move(file: Path, target: Path, path: str) -> None:
    """Move a file out of a job's reach and make it an ordinary one of ours; a container runs as somebody else.

    Raises Refused for a file in a folder that the job has closed.
    """
    try:
        file.rename(target)
    except PermissionError:
        raise Refused(f"{shown(path)}: lies in a folder that is closed to writing") from None
    target.chmod(0o644)
    if target.stat().st_uid != os.geteuid():
        os.chown(target, os.geteuid(), os.getegid())


def check_name(path: str) -> None:
    """Raises Refused for a name that could confuse a terminal, a shell or a path."""
    if not path.isprintable() or "\\" in path or ".." in Path(path).parts:
        raise Refused(f"{shown(path)}: the name holds characters that are not allowed")


def check_kind(path: str) -> None:
    """Raises Refused for a file whose ending says that it is no artifact."""
    ending = Path(path).suffix.lower()
    if ending in PICKLES:
        raise Refused(f"{shown(path)}: pickles are never loaded; save tensors as .safetensors, the rest as .json")
    if ending not in ALLOWED:
        raise Refused(f"{shown(path)}: artifacts are {', '.join(ALLOWED)} files; write others to /tmp")


def check_file(name: str, path: str, folder: int, room: int) -> int:
    """The size in bytes of a plain file in an open folder. Raises Refused for links, devices, giants, disguises."""
    if stat.S_ISLNK(os.lstat(name, dir_fd=folder).st_mode):
        raise Refused(f"{shown(path)}: is a symbolic link")
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except OSError as error:
        raise Refused(f"{shown(path)}: cannot be read ({error.strerror})") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise Refused(f"{shown(path)}: is no plain file")
        if status.st_nlink != 1:
            raise Refused(f"{shown(path)}: is a hard link")
        if status.st_size > room:
            raise Refused(f"{shown(path)}: {status.st_size} bytes are more than the {max(room, 0)} that are allowed")
        check_content(os.read(descriptor, 4096), path, status.st_size)
        return status.st_size
    finally:
        os.close(descriptor)


def check_content(head: bytes, path: str, size: int) -> None:
    """Raises Refused when the first bytes are not what the ending says (a pickle or an archive in disguise)."""
    if Path(path).suffix.lower() == ".safetensors":
        # An 8-byte little-endian header length, then a JSON object (safetensors' format description).
        if len(head) < 10 or head[8:9] != b"{" or int.from_bytes(head[:8], "little") > size - 8:
            raise Refused(f"{shown(path)}: is no safetensors file")
    elif head[:1] == b"\x80" or head[:4] == b"PK\x03\x04" or b"\0" in head:
        raise Refused(f"{shown(path)}: holds binary data (a pickle?), not JSON text")


def shown(path: str) -> str:
    """A name that is safe to print."""
    return ascii(path)[:200]
