"""What the server of warm starts sees, and how it names what a job's sandbox is built from."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from eidothea.workspaces import _mounts as mounts

HOST = "/host"  # all files of this machine, inside the server's sandbox
FOLDER = "/opt/eidothea-warm"
FILES = ("server.py", "candidate.py", "interpreter.py", "sandbox.py")
BINDS = ("--bind", "--ro-bind", "--ro-bind-try")
READ_ONLY_PROC = ("--proc", "/proc", "--remount-ro", "/proc")
IMPORTS = ("numpy", "torch", "safetensors.torch")


def root_words(bwrap: str) -> list[str]:
    """The words that make the root of a server: that of a job, with the machine's files beside it.

    The interpreter must be on a read-only mount here, too: every candidate can open the file that it executes.
    """
    arguments = [bwrap, "--unshare-all", "--unshare-user", "--die-with-parent", "--new-session", "--clearenv"]
    arguments += ["--hostname", "workspace", "--cap-drop", "ALL"]
    if os.getuid() == 0:  # without it the kernel refuses to map root into a namespace below (user_namespaces(7))
        arguments += ["--cap-add", "CAP_SETFCAP"]
    arguments += [*mounts.scratch("/tmp", mounts.TMP_MB), *_writable_proc(mounts.system()), "--bind", "/", HOST]
    here = Path(__file__).resolve().parent
    for file in (here.parent / "_launch.py", *(here / name for name in FILES)):
        arguments += ["--ro-bind", str(file), f"{FOLDER}/{file.name}"]
    folder = str(mounts.WORKSPACE / "tree")
    arguments += ["--dir", folder, "--remount-ro", "/", "--chdir", folder]
    return arguments


def server_words(bwrap: str, environment: Mapping[str, str], control: int) -> list[str]:
    """The words that start a server."""
    arguments = root_words(bwrap)
    for name, value in environment.items():
        arguments += ["--setenv", name, value]
    return [*arguments, "--", mounts.python_inside(), f"{FOLDER}/server.py", str(control), *IMPORTS, *lab_modules()]


def below_host(arguments: Sequence[str]) -> list[str]:
    """bwrap's arguments with the sources of mounts as the server sees them."""
    sources = {at + 1 for at, word in enumerate(arguments) if word in BINDS}
    return [HOST + word if at in sources else word for at, word in enumerate(arguments)]


def lab_modules() -> list[str]:
    lab = mounts.package_folder() / "experiments" / "lab"
    files = sorted(file for file in lab.rglob("*.py") if not file.name.startswith("_"))
    return [".".join(("eidothea.experiments.lab", *file.relative_to(lab).with_suffix("").parts)) for file in files]


def _writable_proc(arguments: Sequence[str]) -> list[str]:
    """bwrap forbids nested namespaces by a file of /proc, and that of the sandbox that it starts in."""
    at = next(i for i in range(len(arguments)) if tuple(arguments[i : i + 4]) == READ_ONLY_PROC)
    return [*arguments[: at + 2], *arguments[at + 4 :]]
