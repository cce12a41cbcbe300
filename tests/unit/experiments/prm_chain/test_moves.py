from __future__ import annotations

import json
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import pytest

import eidothea.experiments
from eidothea.state.move import ChoiceParam, Move, Setting
from eidothea.tools.tasks.task import Task, read_task

FOLDER = Path(eidothea.experiments.__file__).resolve().parent / "tasks" / "prm-chain"
TASK: Task = read_task(FOLDER)
MOVES = {move.name: move for move in TASK.moves}
PAPERS = FOLDER.parents[1] / "corpus" / "papers.jsonl"


def settings(move: Move, pick: int = 0) -> dict[str, Setting]:
    """One value for each parameter: the first or, with pick -1, the last."""
    return {
        name: param.options[pick] if isinstance(param, ChoiceParam) else (param.low, param.high)[pick]
        for name, param in move.params.items()
    }


def rendered(*moves: Move, pick: int = 0) -> dict[str, str]:
    """The baseline with moves applied in order; every search text must still be there, once."""
    tree = dict(TASK.baseline)
    for move in moves:
        for edit in move.render(settings(move, pick)):
            assert tree[edit.path].count(edit.search) == 1, (move.name, edit.search)
            tree[edit.path] = tree[edit.path].replace(edit.search, edit.replace)
    return tree


def compatible(a: Move, b: Move) -> bool:
    return b.name not in a.conflicts and a.name not in b.conflicts


def test_conflicts_are_mutual() -> None:
    for move in MOVES.values():
        for other in move.conflicts:
            assert move.name in MOVES[other].conflicts, (move.name, other)


@pytest.mark.parametrize("pick", [0, -1])
@pytest.mark.parametrize("name", MOVES)
def test_a_move_renders_readable_code(name: str, pick: int) -> None:
    tree = rendered(MOVES[name], pick=pick)
    assert tree != TASK.baseline
    for path, text in tree.items():
        compile(text, path, "exec")
        assert "$" not in text
        assert max(map(len, text.splitlines())) <= 120


def test_rendered_code_is_clean(tmp_path: Path) -> None:
    """No unused import, no undefined name, whichever move is made."""
    for name, move in MOVES.items():
        for path, text in rendered(move).items():
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / path).write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--select", "F", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout


def test_pairs_that_do_not_conflict_combine() -> None:
    pairs = [pair for pair in combinations(MOVES.values(), 2) if compatible(*pair)]
    assert len(pairs) > 60
    for a, b in pairs:
        both, reverse = rendered(a, b), rendered(b, a)
        assert both == reverse, (a.name, b.name)
        for path, text in both.items():
            compile(text, path, "exec")


def test_pairs_that_conflict_touch_the_same_or_void_each_other() -> None:
    assert not compatible(MOVES["implicit_prm"], MOVES["head_depth"])
    assert compatible(MOVES["implicit_prm"], MOVES["dpo_objective"])
    assert compatible(MOVES["monte_carlo_labels"], MOVES["head_depth"])


def test_every_paper_is_in_the_corpus() -> None:
    known = {json.loads(line)["id"] for line in PAPERS.read_text(encoding="utf-8").splitlines()}
    for move in MOVES.values():
        assert move.papers
        assert set(move.papers) <= known, move.name
