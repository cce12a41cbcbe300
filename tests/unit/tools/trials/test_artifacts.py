from __future__ import annotations

import os
from pathlib import Path

import pytest

from eidothea.state.task import Limits
from eidothea.tools.trials.artifacts import MB, Refused, collect, take
from eidothea.tools.trials.files import remove

LIMITS = Limits(disk_mb=2)
TENSORS = (2).to_bytes(8, "little") + b"{}"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out" / "sub").mkdir(parents=True)
    return tmp_path / "out"


def test_plain_files_are_moved_with_their_folders(out: Path, tmp_path: Path) -> None:
    (out / "sub" / "model.safetensors").write_bytes(TENSORS)
    (out / "config.json").write_text("{}")
    (out / "log.jsonl").write_text("")
    assert collect(out, tmp_path / "kept", LIMITS) == ["config.json", "log.jsonl", "sub/model.safetensors"]
    assert (tmp_path / "kept" / "sub" / "model.safetensors").read_bytes() == TENSORS


def test_nothing_is_moved_when_one_file_is_refused(out: Path, tmp_path: Path) -> None:
    (out / "config.json").write_text("{}")
    (out / "model.pt").write_bytes(b"x")
    with pytest.raises(Refused, match=r"model\.pt.*pickles are never loaded"):
        collect(out, tmp_path / "kept", LIMITS)
    assert not (tmp_path / "kept").exists()


def test_safetensors_whose_header_looks_like_a_pickle_are_taken(out: Path, tmp_path: Path) -> None:
    # A header of 0x0280 bytes starts with the very bytes of a pickle of protocol 2.
    (out / "a.safetensors").write_bytes((0x0280).to_bytes(8, "little") + b"{" + b" " * 0x0280)
    assert collect(out, tmp_path / "kept", LIMITS) == ["a.safetensors"]


def test_sizes_add_up(out: Path, tmp_path: Path) -> None:
    for name in ("a.json", "b.json", "c.json"):
        (out / name).write_bytes(b" " * MB)
    with pytest.raises(Refused, match="more than the 0 that are allowed"):
        collect(out, tmp_path / "kept", LIMITS)


def test_depth_is_limited(out: Path, tmp_path: Path) -> None:
    deep = out.joinpath(*"abcdefghij")
    deep.mkdir(parents=True)
    with pytest.raises(Refused, match="deeper"):
        collect(out, tmp_path / "kept", LIMITS)


def test_take_says_whether_there_was_a_file(out: Path, tmp_path: Path) -> None:
    assert not take(out, "predictions.jsonl", tmp_path / "p")
    (out / "predictions.jsonl").write_text("{}")
    assert take(out, "predictions.jsonl", tmp_path / "p")
    assert (tmp_path / "p").read_text() == "{}"
    (out / "predictions.jsonl").mkdir()
    with pytest.raises(Refused, match="no plain file"):
        take(out, "predictions.jsonl", tmp_path / "p")


def test_remove_takes_closed_folders_and_follows_no_link(out: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("x")
    (out / "link").symlink_to(tmp_path / "precious")
    (out / "sub" / "file").write_text("x")
    os.chmod(out / "sub", 0)  # noqa: PTH101 - as a candidate would
    remove(out)
    assert not out.exists()
    assert (tmp_path / "precious" / "file").exists()


def test_an_output_folder_that_the_job_has_closed_is_opened(out: Path, tmp_path: Path) -> None:
    (out / "a.json").write_text("{}")
    for closed in (0, 0o500):
        out.chmod(closed)
        assert not take(out, "predictions.jsonl", tmp_path / "p")
    out.chmod(0)
    assert collect(out, tmp_path / "kept", LIMITS) == ["a.json"]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_files_in_a_folder_closed_to_writing_are_refused(out: Path, tmp_path: Path) -> None:
    (out / "sub" / "a.json").write_text("{}")
    (out / "sub").chmod(0o500)
    with pytest.raises(Refused, match="closed to writing"):
        collect(out, tmp_path / "kept", LIMITS)
    remove(out)
    assert not out.exists()
