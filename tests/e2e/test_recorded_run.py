"""A whole run on `prm-chain` whose ideas, code, repair and analyses a capable language model wrote, replayed offline.

The trials really run. So verdicts are this machine's own, and what is measured may differ in its last digits from what
was measured when the run was recorded; everything that the model was asked and answered must be the same.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import loops
import pytest

from eidothea.ledger.store import Ledger

pytestmark = pytest.mark.slow

RECORDING = Path(__file__).parents[1] / "recordings" / "prm-chain-demo.jsonl"
SHAPE = ("--scale", "demo", "--rounds", "2", "--ideas", "2", "--workspace", "bubblewrap", "--name", "recorded")
MEASURED = re.compile(r"-?\d+\.\d+(?:e[-+]?\d+)?|\d+e-\d+")


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("replayed")
    words = ("--model", f"replay:{RECORDING}", "--record", str(folder / "again.jsonl"))
    done = loops.run("run", "prm-chain", *SHAPE, *words, runs=folder / "runs", timeout=900)
    assert done.returncode == 0, done.stderr
    return folder


def ledger(folder: Path) -> Ledger:
    return Ledger.open(f"sqlite:///{folder / 'runs' / 'eidothea.db'}")


def lines(file: Path) -> dict[str, dict[str, Any]]:
    """A recording's lines by call, without what names the model."""
    found = [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n")[1:-1]]
    return {line["call"]: {k: v for k, v in line.items() if k not in ("key", "parameters")} for line in found}


def test_every_request_and_answer_is_the_recorded_one(replayed: Path) -> None:
    recorded, again = lines(RECORDING), lines(replayed / "again.jsonl")
    assert len(recorded) == 12
    assert recorded.keys() == again.keys()
    for call, line in recorded.items():
        prompt, prompt_again = line.pop("prompt"), again[call].pop("prompt")
        assert json.dumps(line) == json.dumps(again[call]), call  # the answers, byte for byte
        assert MEASURED.sub("#", prompt) == MEASURED.sub("#", prompt_again), call


def test_verdicts_rest_on_the_trials_that_ran_here(replayed: Path) -> None:
    found = ledger(replayed)
    kinds = {idea: verdict.kind for idea, verdict in found.verdicts("recorded").items()}
    assert kinds == {"r1-01": "improve", "r1-02": "improve", "r2-01": "improve", "r2-02": "decline"}
    assert len(found.trials("recorded")) >= 30
    for idea in ("r1-01", "r1-02", "r2-01"):
        comparison = found.verdicts("recorded")[idea].comparison
        assert comparison is not None
        assert (comparison.stage, comparison.n) == ("confirm", 6)


def test_the_repair_mended_the_code_that_failed(replayed: Path) -> None:
    (attempt,) = ledger(replayed).attempts("recorded", "r1-02")
    assert attempt.failure.exception == "RuntimeError"
    assert "must match the size of tensor" in attempt.failure.message
    assert attempt.outcome == "edited"
    trials = ledger(replayed).trials("recorded", "r1-02", "pilot")
    assert [(t.key.attempt, t.score is None) for t in trials] == [(0, True), (1, False)]


def test_the_recording_says_how_it_was_made() -> None:
    header = json.loads(RECORDING.read_text(encoding="utf-8").split("\n", 1)[0])
    assert "inbox" in header["made"]
    assert "language model" in header["made"]
