"""One workspace and the folders of a job in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from warm import EagerBubblewrap

from eidothea import plugins
from eidothea.protocols import Job, Workspace
from eidothea.state.task import Limits
from eidothea.state.trial import Ending

KINDS = plugins.names("workspaces")
ISOLATING = [kind for kind in KINDS if plugins.load("workspaces", kind).isolates]
WARM = "bubblewrap-warm"
KINDS.append(WARM)
ISOLATING.append(WARM)
LIMITS = {"memory_mb": 300, "pids": 20, "disk_mb": 4, "output_mb": 1}


class Bench:
    """One workspace and the folders of a job in it."""

    def __init__(self, workspace: Workspace, folder: Path) -> None:
        self.workspace, self.folder = workspace, folder
        self.tree, self.out = folder / "tree", folder / "out"
        self.tree.mkdir(parents=True)
        self.out.mkdir()

    def job(self, code: str, seconds: float = 20, command: str = "python main.py", **more: Any) -> Job:
        (self.tree / "main.py").write_text(code, encoding="utf-8")
        limits = Limits.model_validate(LIMITS | more.pop("limits", {}))
        mounts = {"tree": self.tree} | more.pop("mounts", {})
        stdout, stderr = self.folder / "stdout.log", self.folder / "stderr.log"
        return Job("job", command, mounts, self.out, limits, seconds, stdout, stderr, **more)

    async def run(self, code: str, seconds: float = 20, command: str = "python main.py", **more: Any) -> Ending:
        return await self.workspace.run(self.job(code, seconds, command, **more))

    @property
    def stdout(self) -> bytes:
        return (self.folder / "stdout.log").read_bytes()

    @property
    def stderr(self) -> bytes:
        return (self.folder / "stderr.log").read_bytes()


def marked(kinds: list[str]) -> list[Any]:
    """Workspace kinds as parameters of a fixture; those of Docker need an engine."""
    return [pytest.param(kind, marks=pytest.mark.docker) if kind == "docker" else kind for kind in kinds]


def workspace(request: pytest.FixtureRequest, kind: str) -> Workspace:
    """A workspace for a fixture; that of Docker needs an engine and its image."""
    if kind == "docker":
        request.getfixturevalue("docker_image")
    made: Workspace = EagerBubblewrap() if kind == WARM else plugins.load("workspaces", kind)()
    return made


def make(request: pytest.FixtureRequest, folder: Path) -> Bench:
    """The bench of the kind that a fixture is asked for."""
    return Bench(workspace(request, request.param), folder)
