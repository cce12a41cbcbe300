"""What can be told without running the code."""

from __future__ import annotations

import pytest

from eidothea.errors import ModelMistake
from eidothea.state.edit import Edit
from eidothea.tools.repair.change import changed
from eidothea.tools.repair.check import problems


def test_syntax_errors_name_file_line_and_text() -> None:
    assert problems({"a.py": "x = 1\ndef f(:\n    pass\n"}) == ["a.py, line 2: invalid syntax: def f(:"]


def test_undefined_names_are_found_in_functions_and_at_the_top() -> None:
    found = problems({"a.py": "def f():\n    return undefined_one\nprint(undefined_two)\n"})
    assert found == ["a.py, line 2: nothing defines 'undefined_one'", "a.py, line 3: nothing defines 'undefined_two'"]


@pytest.mark.parametrize(
    "text",
    [
        "import os\ndef f(a, *b, c=1, **d):\n    return [x for x in b if x] + [os, a, c, d, len(b), __file__]\n",
        "def f():\n    global X\n    X = 1\ndef g():\n    return X\n",
        "class C:\n    y: int = 3\n    def f(self):\n        return self.y, __class__\n",
        "try:\n    pass\nexcept ValueError as e:\n    print(e)\n",
        "from math import *\nprint(sqrt(2))\n",
        "def f():\n    n = 0\n    def g():\n        nonlocal n\n        n += 1\n    return g\n",
        "if (m := 3) > 2:\n    print(m)\n",
        "from __future__ import annotations\ndef f(x: 'Tensor') -> list[int]:\n    return [lambda q: q + x]\n",
    ],
)
def test_sound_code_has_no_problems(text: str) -> None:
    assert problems({"a.py": text}) == []


def test_null_bytes_are_a_problem_and_not_a_crash() -> None:
    assert problems({"a.py": "x = 1\0"})


def test_a_change_that_changes_nothing_is_refused() -> None:
    with pytest.raises(ModelMistake, match="nothing but comments"):
        changed({"a.py": "x = 1\n"}, [Edit(path="a.py", search="x = 1", replace="x = 1  # one")], ["*.py"])


def test_a_change_is_not_blamed_for_old_problems_but_for_new_ones() -> None:
    files = {"a.py": "x = 1\nprint(old)\n"}
    assert changed(files, [Edit(path="a.py", search="x = 1", replace="\nx = 2")], ["*.py"])
    with pytest.raises(ModelMistake, match="nothing defines 'new'"):
        changed(files, [Edit(path="a.py", search="x = 1", replace="x = new")], ["*.py"])
