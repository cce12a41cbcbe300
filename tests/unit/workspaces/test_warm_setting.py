"""Who decides whether scripts start warm: the flag, else the setting; and only kinds that can."""

from __future__ import annotations

from pathlib import Path

import pytest

from eidothea.api.launch import request_from
from eidothea.settings import Settings
from eidothea.workspaces._choose import choose
from eidothea.workspaces._mounts import system
from eidothea.workspaces._warm.pool import shadowed
from eidothea.workspaces._warm.root import HOST, below_host, lab_modules, root_words
from eidothea.workspaces.bubblewrap import BubblewrapWorkspace
from eidothea.workspaces.process import ProcessWorkspace


def test_a_flag_wins_over_the_setting() -> None:
    assert request_from("toy", {"warm": None}, Settings()).warm
    assert not request_from("toy", {"warm": None}, Settings(warm=False)).warm
    assert request_from("toy", {"warm": True}, Settings(warm=False)).warm


@pytest.mark.parametrize("warm", [True, False])
def test_only_a_kind_that_can_is_asked_to(warm: bool) -> None:
    workspace, reason = choose("bubblewrap", warm)
    assert isinstance(workspace, BubblewrapWorkspace)
    assert (workspace.pool is not None) == warm
    assert "start warm" in reason
    assert isinstance(choose("process", warm)[0], ProcessWorkspace)


def test_sources_of_mounts_are_named_below_the_host_and_nothing_else() -> None:
    words = ["--ro-bind", "/usr", "/usr", "--size", "5", "--tmpfs", "/tmp", "--bind", "/a b", "/workspace/out"]
    expected = [*words[:1], f"{HOST}/usr", *words[2:8], f"{HOST}/a b", words[9]]
    assert below_host(words) == expected


def test_the_servers_root_is_a_jobs_but_for_proc_and_the_host() -> None:
    words = root_words("bwrap")
    text = " ".join(words)
    assert "--ro-bind /usr /usr" in text
    assert "--remount-ro /proc" in " ".join(system())
    assert "--remount-ro /proc" not in text, "bwrap writes to it to forbid nested namespaces"
    assert f"--bind / {HOST}" in text
    assert "eidothea.experiments.lab.policy.tiny_gpt" in lab_modules()


def test_a_file_or_folder_named_like_a_ready_made_module_is_noticed(tmp_path: Path) -> None:
    modules = frozenset({"random", "torch"})
    (tmp_path / "sub").mkdir()
    for name in ("main.py", "rollouts.py", "sub/random.py"):
        (tmp_path / name).touch()
    assert shadowed(tmp_path, "main.py", modules) == ""
    assert shadowed(tmp_path, "sub/main.py", modules) == "random.py"
    (tmp_path / "torch").mkdir()
    assert shadowed(tmp_path, "main.py", modules) == "torch"
