"""The wheel holds every file of the package: links and hatchling's one visit per inode have bitten before."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_wheel_built_the_default_way_lists_every_file(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    wheel = next(tmp_path.glob("*.whl"))
    found = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("eidothea/")}
    assert found == set(tree())


def tree() -> list[str]:
    """Every tracked or new file under src/eidothea, links followed, as the wheel should name it."""
    listed = subprocess.run(
        ["find", "-L", "src/eidothea", "-type", "f", "-not", "-name", "*.pyc"], cwd=ROOT, capture_output=True, text=True
    )
    return [line.removeprefix("src/") for line in listed.stdout.splitlines()]
