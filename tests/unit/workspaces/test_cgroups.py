"""Control groups: where they may be made, what they are given, what is read back."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from eidothea.state.task import Limits
from eidothea.workspaces import _cgroups as cgroups

LIMITS = Limits(memory_mb=64, pids=20, cpus=0.5)


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def group(folder: str, handed_on: str = "", **limits: str) -> dict[str, str]:
    """The files of a group of version 2."""
    named = {name.replace("_", "."): value for name, value in limits.items()}
    found = {"cgroup.procs": "", "cgroup.subtree_control": handed_on + "\n"} | named
    return {f"{folder}/{name}": text for name, text in found.items()}


@pytest.fixture
def plain_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel removes a group with its files; a plain folder stays, and is not worth waiting for."""
    monkeypatch.setattr(cgroups, "REMOVE_S", 0.0)


def own(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "own"
    file.write_text(text)
    return file


@pytest.mark.usefixtures("plain_files")
def test_version_2_uses_the_lowest_group_that_hands_controllers_on(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(root, {"cgroup.controllers": "cpu memory pids\n"} | group(".", "cpu memory pids"))
    write(
        root,
        group("user", "cpu memory pids", memory_max="max") | group("user/shell", memory_max="max", cpu_max="max 1"),
    )
    found, reason = cgroups.find(root, own(tmp_path, "0::/user/shell\n"))
    assert found is not None
    assert found.bases == {"": root / "user"}
    assert reason == "control groups of version 2"


def test_version_2_does_not_escape_a_limit(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(root, {"cgroup.controllers": "cpu memory pids\n"} | group(".", "cpu memory pids"))
    write(root, group("mine", memory_max="1000000"))
    found, reason = cgroups.find(root, own(tmp_path, "0::/mine\n"))
    assert found is None
    assert "memory.max" in reason


def test_version_2_without_controllers_is_of_no_use(tmp_path: Path) -> None:
    root = write(tmp_path / "root", {"cgroup.controllers": "\n"} | group(".", "cpu") | group("mine"))
    found, reason = cgroups.find(root, own(tmp_path, "0::/mine\n"))
    assert found is None
    assert "memory and pids" in reason


@pytest.mark.usefixtures("plain_files")
def test_version_1_needs_memory_and_pids(tmp_path: Path) -> None:
    root = write(tmp_path / "root", {"memory/a/cgroup.procs": "", "memory/cgroup.procs": "", "cpu/cgroup.procs": ""})
    file = own(tmp_path, "4:memory:/a/gone\n2:cpu,cpuacct:/\n8:pids:/\n")
    found, reason = cgroups.find(root, file)
    assert found is None
    assert "pids of version 1" in reason
    write(root, {"pids/cgroup.procs": ""})
    found, reason = cgroups.find(root, file)
    assert found is not None
    assert found.bases == {"memory": root / "memory/a", "pids": root / "pids", "cpu": root / "cpu"}
    assert reason == "control groups of version 1"


def test_no_hierarchy_at_all(tmp_path: Path) -> None:
    assert cgroups.find(tmp_path, tmp_path / "missing")[0] is None


def test_limits_are_written_in_the_words_of_each_version() -> None:
    found = {(hierarchy, file): value for hierarchy, file, value in cgroups.wanted(LIMITS)}
    assert found["", "memory.max"] == found["memory", "memory.limit_in_bytes"] == str(64 << 20)
    assert found["", "memory.swap.max"] == "0"
    assert found["", "cpu.max"] == "50000 100000"
    assert found["cpu", "cpu.cfs_quota_us"] == "50000"
    assert int(found["", "pids.max"]) == int(found["pids", "pids.max"]) >= 20


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"memory.events": "low 0\noom 1\noom_kill 1\n", "memory.peak": "5000\n"}, "memory"),
        ({"memory.events": "oom_kill 0\n", "pids.events": "max 3\n"}, "pids"),
        ({"memory.events": "oom 0\noom_kill 0\n", "pids.events": "max 0\n", "cpu.stat": "usage_usec 2000000\n"}, None),
    ],
)
def test_what_the_kernel_did_is_read_back(tmp_path: Path, files: dict[str, str], expected: str | None) -> None:
    found = cgroups.JobGroup({"": write(tmp_path, {"cgroup.controllers": "", "cgroup.procs": ""} | files)})
    breach = found.breach(LIMITS)
    assert (breach and breach[0]) == expected
    if "cpu.stat" in files:
        assert found.seen.cpu_s == 2.0


@pytest.fixture
def here() -> cgroups.Groups:
    found, reason = cgroups.find()
    if found is None:
        pytest.skip(reason)
    return found


def test_a_group_keeps_its_limits_and_goes_away(here: cgroups.Groups) -> None:
    made = here.make(LIMITS)
    code = "import sys\nfor p in sys.argv[1:]: open(p + '/cgroup.procs', 'w').write('0')\n"
    code += "x = bytearray(b'1') * (200 << 20)"
    try:
        done = subprocess.run([sys.executable, "-S", "-c", code, *map(str, made.folders.values())], check=False)
        assert done.returncode == -9
        breach = made.breach(LIMITS)
        assert breach is not None
        assert breach[0] == "memory"
        assert 32 << 20 < made.seen.peak_bytes <= 64 << 20
    finally:
        made.remove()
    assert not any(folder.exists() for folder in made.folders.values())


def test_what_a_dead_process_left_is_removed_and_nothing_else(here: cgroups.Groups) -> None:
    living, other = here.make(LIMITS), [base / "eidothea-of-somebody-else" for base in here.bases.values()]
    dead = [base / f"eidothea-{os.getpid()}-1-1" for base in here.bases.values()]  # ours by number, but not its start
    try:
        for folder in (*other, *dead):
            folder.mkdir(exist_ok=True)
        here.sweep()
        assert not any(folder.exists() for folder in dead)
        assert all(folder.exists() for folder in (*other, *living.folders.values()))
    finally:
        living.remove()
        for folder in other:
            folder.rmdir()


def test_a_process_out_of_sight_is_not_taken_for_ourselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`cgroup.procs` lists it as 0, and to kill(2) that means the caller's whole process group."""
    killed: list[int] = []
    monkeypatch.setattr(cgroups.os, "kill", lambda pid, number: killed.append(pid))
    monkeypatch.setattr(cgroups, "REMOVE_S", 0.05)
    cgroups.remove(write(tmp_path, {"group/cgroup.procs": "0\n77\n-1\n"}) / "group")
    assert set(killed) == {77}
