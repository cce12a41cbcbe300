from __future__ import annotations

from pathlib import Path

import pytest

from eidothea.state.trial import Ending, Failure
from eidothea.tools.trials.evidence import from_ending, tracebacks

EXITED = Ending(outcome="exited", exit_code=1)

TYPICAL = """epoch 1
Traceback (most recent call last):
  File "/workspace/tree/experiment.py", line 80, in <module>
    main()
  File "/workspace/tree/lib/model.py", line 12, in forward
    return a @ b
           ~~^~~
  File "/usr/lib/python3/torch/nn/module.py", line 1, in _call
    raise RuntimeError(x)
RuntimeError: mat1 and mat2 shapes cannot be multiplied (3x4 and 5x6)
"""

CHAINED = """Traceback (most recent call last):
  File "/workspace/tree/experiment.py", line 3, in load
    return table["x"]
KeyError: 'x'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/workspace/tree/experiment.py", line 9, in main
    load()
ValueError: no x in the table
"""

SYNTAX = """  File "/workspace/tree/experiment.py", line 7
    def f(:
          ^
SyntaxError: invalid syntax
"""

DEEP_IMPORT = """Traceback (most recent call last):
  File "/workspace/tree/experiment.py", line 2, in <module>
    import torchvision
ModuleNotFoundError: No module named 'torchvision'
"""

LONG = """Traceback (most recent call last):
  File "/workspace/tree/a.py", line 2, in f
    model.load_state_dict(state)
RuntimeError: Error(s) in loading state_dict for M:
\tMissing key(s) in state_dict: "w".
"""


def failure(tmp_path: Path, errors: str | bytes, ending: Ending = EXITED, stdout: str = "") -> Failure:
    (tmp_path / "out").write_text(stdout)
    (tmp_path / "err").write_bytes(errors if isinstance(errors, bytes) else errors.encode())
    return from_ending(ending, "train", tmp_path / "out", tmp_path / "err")


def test_own_frames_only_relative_to_the_tree(tmp_path: Path) -> None:
    found = failure(tmp_path, TYPICAL)
    assert (found.kind, found.exception) == ("exception", "RuntimeError")
    assert "mat1 and mat2" in found.message
    assert [(f.path, f.line, f.function, f.code) for f in found.frames] == [
        ("experiment.py", 80, "<module>", "main()"),
        ("lib/model.py", 12, "forward", "return a @ b"),
    ]


def test_a_chain_is_told_from_its_end(tmp_path: Path) -> None:
    found = failure(tmp_path, CHAINED)
    assert found.exception == "ValueError"
    assert found.message == "ValueError: no x in the table (first: KeyError: 'x')"
    assert found.frames[-1].line == 9


@pytest.mark.parametrize(
    ("errors", "kind"),
    [
        (SYNTAX, "syntax"),
        (DEEP_IMPORT, "import"),
        (TYPICAL.replace("RuntimeError: mat1", "torch.OutOfMemoryError: mat1"), "memory"),
        (TYPICAL.replace("mat1 and", "[enforce fail] DefaultCPUAllocator: can't allocate memory"), "memory"),
        (TYPICAL.replace("mat1 and mat2 shapes", "the loss is nan at step 3"), "divergence"),
        (TYPICAL.replace("RuntimeError: mat1", "OverflowError: math range"), "divergence"),
        ("Segmentation fault\n", "exit"),
    ],
)
def test_kinds(tmp_path: Path, errors: str, kind: str) -> None:
    assert failure(tmp_path, errors).kind == kind


def test_words_that_merely_hold_nan_are_no_divergence(tmp_path: Path) -> None:
    assert failure(tmp_path, TYPICAL.replace("mat1 and", "banana info infer")).kind == "exception"


def test_a_syntax_error_has_its_place(tmp_path: Path) -> None:
    found = failure(tmp_path, SYNTAX)
    assert [(f.path, f.line) for f in found.frames] == [("experiment.py", 7)]


def test_messages_of_several_lines(tmp_path: Path) -> None:
    assert 'Missing key(s) in state_dict: "w"' in failure(tmp_path, LONG).message


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        ("timeout", "timeout"),
        ("memory", "memory"),
        ("pids", "limit"),
        ("disk", "limit"),
        ("output", "limit"),
        ("killed", "exit"),
    ],
)
def test_limits_win_over_what_was_printed(tmp_path: Path, outcome: str, kind: str) -> None:
    ending = Ending.model_validate({"outcome": outcome, "detail": "ran longer than 9 s"})
    found = failure(tmp_path, TYPICAL, ending)
    assert (found.kind, found.message) == (kind, "ran longer than 9 s")
    assert found.frames  # where it was is still worth knowing


def test_any_bytes_in_the_log(tmp_path: Path) -> None:
    found = failure(tmp_path, b"\xff\xfe\x00" + TYPICAL.encode())
    assert found.exception == "RuntimeError"
    assert "�" in found.log_tail


def test_the_tail_is_cut(tmp_path: Path) -> None:
    found = failure(tmp_path, "e" * 100_000 + "\nend of errors", stdout="o" * 100_000 + "\nend of output")
    assert len(found.log_tail) <= 4001
    assert found.log_tail.endswith("end of errors")
    assert "end of output" in found.log_tail


def test_missing_logs_are_no_trouble(tmp_path: Path) -> None:
    found = from_ending(EXITED, "train", tmp_path / "no", tmp_path / "no")
    assert (found.kind, found.message) == ("exit", "exit code 1")


def test_frames_of_a_tree_elsewhere(tmp_path: Path) -> None:
    text = TYPICAL.replace("/workspace/tree", str(tmp_path))
    assert [f.path for f in tracebacks(text, tmp_path)[0].frames] == ["experiment.py", "lib/model.py"]
    assert tracebacks(text)[0].frames == ()
