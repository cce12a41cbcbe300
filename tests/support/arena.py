"""Where candidates that cheat are really run: trials of the toy task in a workspace that isolates."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

from eidothea.protocols import Workspace
from eidothea.state.task import Stage
from eidothea.state.trial import TrialKey, TrialResult
from eidothea.tools.tasks import Task
from eidothea.tools.trials.data import DataStore
from eidothea.tools.trials.runner import TrialRunner
from eidothea.tools.trials.trees import CodeStore

SAVE = '    (args.out / "model.json").write_text(json.dumps({"weights": weights}), encoding="utf-8")\n'
WRITE = "    args.predictions.write_text("
MAIN = "def main() -> None:\n"


class Arena:
    """Runs candidates of the toy task in a workspace that isolates."""

    def __init__(self, task: Task, workspace: Workspace, folder: Path, made: Path) -> None:
        self.task, self.workspace, self.folder, self.data = task, workspace, folder, DataStore(made)
        self.code = CodeStore(folder / "code.git")
        self.number = 0

    async def run(self, files: dict[str, str], seed: int = 0, stage: Stage = "pilot") -> TrialResult:
        self.number += 1
        runner = TrialRunner(self.task, self.workspace, self.data, self.folder)
        tree_hash = self.code.commit(f"idea/{self.number}", files, "cheat", 0)
        tree = self.code.checkout(tree_hash, self.folder / "trees" / tree_hash[:16])
        return await runner.run(TrialKey(idea=f"x{self.number}", stage=stage, seed=seed), tree, tree_hash)

    async def honest(self, seed: int = 0, stage: Stage = "pilot") -> TrialResult:
        result = await self.run(self.task.baseline, seed, stage)
        assert result.score is not None, result.failure
        return result

    async def cheat(
        self,
        *,
        after_train: str = "",
        in_predict: str = "",
        after_predict: str = "",
        more: dict[str, str] | None = None,
        seed: int = 0,
        stage: Stage = "pilot",
    ) -> TrialResult:
        """The baseline with statements put in: at the end of train, and before and after predictions are written."""
        source = self.task.baseline["experiment.py"]
        assert source.count(SAVE) == source.count(WRITE) == source.count(MAIN) == 1
        source = source.replace(SAVE, SAVE + block(after_train)).replace(WRITE, block(in_predict) + WRITE)
        source = source.replace(f"\n\n\n{MAIN}", f"\n{block(after_predict)}\n\n{MAIN}")
        return await self.run({"experiment.py": source} | (more or {}), seed, stage)

    def artifact(self, name: str) -> object:
        path = self.folder / "trials" / f"x{self.number}" / "pilot-0-0" / "artifacts" / name
        return json.loads(path.read_text())


def block(code: str) -> str:
    lines = dedent(code).strip("\n").splitlines()
    return "".join(f"    {line}\n" for line in lines)
