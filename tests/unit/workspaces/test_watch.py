"""The watch over a job's processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from eidothea.state.task import Limits
from eidothea.workspaces import _watch as watch


def process(pid: int, parent: int, started: int = 0) -> watch.Process:
    return watch.Process(pid, parent, started, 1.0, 10 << 20)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> list[watch.Process]:
    """A launcher (10) with bwrap (11), its first process inside (12), and what a job may start."""
    found = [process(10, 1), process(11, 10, 5), process(12, 11, 6), process(99, 1)]
    monkeypatch.setattr(watch, "processes", lambda: iter(found))
    return found


def test_the_sandboxs_own_processes_are_not_the_candidates(table: list[watch.Process]) -> None:
    assert watch.tree(10, True).members == []
    table += [process(13, 12, 7), process(14, 13, 8), process(15, 12, 9)]
    assert [p.pid for p in watch.tree(10, True).members] == [13, 15, 14]
    assert watch.tree(10, True).cpu_s == 5.0


def test_a_forked_candidate_is_the_launchers_younger_child(table: list[watch.Process]) -> None:
    table += [process(9, 10, 7), process(8, 9, 7), process(16, 12, 6)]
    assert sorted(p.pid for p in watch.tree(10, True).members) == [8, 9, 16]


def test_without_a_sandbox_all_below_the_launcher_counts(table: list[watch.Process]) -> None:
    assert [p.pid for p in watch.tree(10, False).members] == [11, 12]


def test_shared_pages_are_not_charged_twice(tmp_path: Path, sharing: int) -> None:
    alone = watch.Watch(sharing, tmp_path, Limits(memory_mb=10_000))
    assert alone.breach() is None
    assert alone.peak_bytes / watch.MB > 4 * 60
    tight = watch.Watch(sharing, tmp_path, Limits(memory_mb=200))
    assert tight.breach() is None
    assert 40 < tight.peak_bytes / watch.MB < 200
    assert watch.Watch(sharing, tmp_path, Limits(memory_mb=30)).breach() is not None


@pytest.fixture
def sharing() -> Iterator[int]:
    """A process with 60 MB that it shares with four children."""
    code = "import os, sys\nx = bytearray(b'1') * (60 << 20)\nfor _ in range(4):\n    if os.fork() == 0:\n"
    code += "        sys.stdin.read(1); os._exit(0)\nprint('here', flush=True); sys.stdin.read(1)"
    words = [sys.executable, "-S", "-c", code]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        yield holder.pid


def test_a_process_that_cannot_be_looked_into_is_charged_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    assert watch.proportional(watch.Process(2**22 + 1, 1, 0, 0.0, 77)) == 77
