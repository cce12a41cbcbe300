"""Containers that a process of Eidothea left behind when it was killed: found by their labels, and removed."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING

from eidothea.protocols import Job
from eidothea.workspaces._docker import engine

if TYPE_CHECKING:
    from docker import APIClient

MARK, OWNER = "eidothea", "eidothea.owner"


def labels(job: Job) -> dict[str, str]:
    """What a container of this process and job is called."""
    of_job = {f"eidothea.{name}": text for name, text in job.labels.items()}
    return {MARK: "1", OWNER: owner(), "eidothea.job": job.id} | of_job


@functools.cache
def _machine() -> tuple[str, str]:
    """This boot of this machine, and this process' table of process numbers."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip(), str(Path("/proc/self/ns/pid").readlink())


def owner() -> str:
    """This process, so that no other one is ever taken for it."""
    pid = os.getpid()
    return "/".join((*_machine(), str(pid), started(pid)))


def started(pid: int) -> str:
    """When a process of this machine started, in ticks since boot; empty when it is dead."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]


def is_dead(name: str) -> bool:
    """Whether the process that called itself so is dead; False when that cannot be told from here."""
    try:
        boot, namespace, pid, start = name.split("/")
    except ValueError:
        return False
    if boot != _machine()[0]:
        return True
    return namespace == _machine()[1] and started(int(pid)) != start


def reap(client: APIClient) -> int:
    """Remove the containers of dead processes, running or not, and say how many; those of living ones stay."""
    with engine.asking("list containers"):
        found = client.containers(all=True, filters={"label": f"{MARK}=1"})
    dead = [made["Id"] for made in found if is_dead(made["Labels"].get(OWNER, ""))]
    for identifier in dead:
        remove(client, identifier)
    return len(dead)


def remove(client: APIClient, identifier: str) -> None:
    """Kill and remove a container; one that is gone, or that somebody else is removing, is fine."""
    from docker.errors import APIError

    with engine.asking(f"remove the container {identifier[:12]}"):
        try:
            client.remove_container(identifier, force=True, v=True)
        except APIError as error:
            if error.status_code not in (404, 409):
                raise
