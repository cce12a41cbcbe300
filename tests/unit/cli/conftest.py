"""Run the command line in this process, on a recorded run."""

from __future__ import annotations

from pathlib import Path

import pytest
import recorded
from calls import Call, Done

from eidothea.cli import main


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    """Call the command line with words, in 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")

    def run(*words: str) -> Done:
        capsys.readouterr()
        code = main(words)
        return Done(code, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def recorded_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recorded")
    recorded.record(folder).close()
    return folder


@pytest.fixture
def runs(recorded_runs: Path, tmp_path: Path) -> Path:
    """The recorded run as `runs` of the working folder, shared by tests that only look."""
    (tmp_path / "runs").symlink_to(recorded_runs)
    return recorded_runs
