"""What tests of the docker workspace share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from docker import APIClient

from eidothea.state.trial import TrialKey, TrialResult
from eidothea.tools.trials.data import DataStore
from eidothea.tools.trials.runner import TrialRunner
from eidothea.tools.trials.trees import CodeStore
from eidothea.workspaces._docker import leftovers
from eidothea.workspaces.docker import DockerWorkspace


def ours(client: APIClient) -> list[str]:
    """Containers of this process, whatever their state."""
    return [c["Id"] for c in client.containers(all=True, filters={"label": f"{leftovers.OWNER}={leftovers.owner()}"})]


async def trial(task: Any, folder: Path, files: dict[str, str]) -> TrialResult:
    code = CodeStore(folder / "code.git")
    tree_hash = code.commit("idea/x", files, "m", 0)
    tree = code.checkout(tree_hash, folder / "trees" / tree_hash[:16])
    runner = TrialRunner(task, DockerWorkspace(), DataStore(folder / "data"), folder / "run")
    return await runner.run(TrialKey(idea="x", stage="pilot", seed=0), tree, tree_hash)
