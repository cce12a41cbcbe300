"""The Docker engine of this machine: where it listens, whether it can do what is needed, what its errors mean."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from eidothea.errors import Missing

if TYPE_CHECKING:
    from docker import APIClient

SOCKET = "/var/run/docker.sock"
TIMEOUT_S = 20  # for any answer of the engine; starting a container takes it a fraction of a second
START = "install and start it (Debian: apt-get install docker.io)"
GROUP = "put yourself into the group docker (sudo usermod -aG docker $USER) and log in again"
NVIDIA = "install nvidia-container-toolkit and restart Docker"


class Trouble(Exception):
    """The engine could not do what was asked; the message is one sentence that says how to mend it."""


def socket_path() -> Path:
    """Where the engine listens.

    Raises Missing without an engine, and for one on another machine: a job's files are mounted from this one.
    """
    address = os.environ.get("DOCKER_HOST") or f"unix://{SOCKET}"
    scheme, _, path = address.partition("://")
    if scheme != "unix":
        raise Missing(f"DOCKER_HOST is {address}, and Eidothea needs an engine on this machine; unset it")
    try:
        there = stat.S_ISSOCK(Path(path).stat().st_mode)
    except OSError:
        there = False
    if not there:
        raise Missing(f"no Docker engine is here ({path} does not exist); {START}")
    return Path(path)


@contextlib.contextmanager
def connect(timeout: int = TIMEOUT_S) -> Iterator[APIClient]:
    """A client of the engine for use in one thread. Raises Missing when none can be reached."""
    path = socket_path()
    import docker

    try:
        client = docker.APIClient(base_url=f"unix://{path}", version="auto", timeout=timeout)
    except Exception as error:  # DockerException, or whatever its transport raises
        raise Missing(explain(error)) from error
    try:
        yield client
    finally:
        client.close()


def answers() -> bool:
    """Whether an engine is there now."""
    try:
        with connect():
            return True
    except Missing:
        return False


@contextlib.contextmanager
def asking(what: str) -> Iterator[None]:
    """Turn any error of the engine or of the connection to it into Trouble; `what` was asked of it."""
    from docker.errors import DockerException
    from requests.exceptions import RequestException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except (DockerException, RequestException, HTTPError, OSError, ValueError, KeyError) as error:
        raise Trouble(f"Docker could not {what}: {explain(error)}") from error


def explain(error: Exception) -> str:
    """One sentence for an error of docker-py or of its transport."""
    from docker.errors import APIError

    said = str(getattr(error, "explanation", None) or error).strip()
    said = said.splitlines()[0][:300] if said else type(error).__name__
    lower = said.lower()
    if not isinstance(error, APIError):  # the connection, not an answer
        if "permission denied" in lower:
            return f"you may not talk to the Docker engine; {GROUP}"
        return f"the Docker engine does not answer; see that it runs: docker info ({said})"
    if "no such image" in lower:
        return f"{said}; make it with: eidothea images build"
    if "could not select device driver" in lower or "nvidia-container" in lower:
        return f"the Docker engine cannot give out GPUs; {NVIDIA} ({said})"
    if "no space left" in lower:
        return f"the disk of the Docker engine is full; make room (docker system prune) ({said})"
    return said


def lacking(client: APIClient) -> str:
    """What this engine cannot do and a workspace needs, with how to mend it; empty when it can do everything."""
    info = client.info()
    options = info.get("SecurityOptions") or []
    if any(option.startswith(("name=rootless", "name=userns")) for option in options):
        return (
            "the Docker engine maps user ids (rootless or userns-remap), so results could not be taken out; turn it off"
        )
    if not any(option.startswith("name=seccomp") and "unconfined" not in option for option in options):
        return "the Docker engine runs without seccomp; start it on a kernel and with a configuration that has it"
    for limit, mend in (("MemoryLimit", "memory"), ("PidsLimit", "pids"), ("CpuCfsQuota", "cpu")):
        if not info.get(limit):
            return f"the Docker engine cannot limit {mend}; mount the {mend} control group and restart it"
    if not info.get("SwapLimit") and psutil.swap_memory().total:
        return "the Docker engine cannot limit swap; turn swap off (swapoff -a) or boot with swapaccount=1"
    return ""
