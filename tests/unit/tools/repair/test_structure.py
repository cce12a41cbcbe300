"""A repair is shown the code around the exception and no more."""

from __future__ import annotations

from eidothea.state.edit import Edit
from eidothea.state.trial import Failure, Frame
from eidothea.tools.repair.structure import extract

NET = """import math

WIDTH = 8


class Net:
    def __init__(self, width):
        self.width = width

    def forward(self, x):
        scaled = scale(x)
        return scaled / self.depth


def scale(x):
    return x * WIDTH


def unrelated():
    return math.pi
"""
MAIN = "from net import Net\n\n\ndef main():\n    net = Net(3)\n    return net.forward(2)\n"
FILES = {"net.py": NET, "main.py": MAIN}
FAILURE = Failure(
    kind="exception",
    message="'Net' object has no attribute 'depth'",
    exception="AttributeError",
    frames=(
        Frame(path="main.py", line=6, function="main", code="return net.forward(2)"),
        Frame(path="net.py", line=12, function="forward", code="return scaled / self.depth"),
    ),
)


def test_it_holds_statement_function_class_neighbours_and_callers() -> None:
    text = extract(FAILURE, FILES).text
    for part in (
        "12         return scaled / self.depth",
        "def forward(self, x):",
        "class Net (line 6), which defines: __init__, forward",
        "self.width = width",
        "def scale(x):",
        "main.py, line 6: return net.forward(2)",
        "import math",
    ):
        assert part in text
    assert "unrelated" not in text


def test_files_are_those_of_the_traceback_innermost_first() -> None:
    assert extract(FAILURE, FILES).files == ("net.py", "main.py")


def test_wide_adds_the_whole_files() -> None:
    assert "def unrelated():" in extract(FAILURE, FILES, wide=True).text


def test_the_last_edit_that_touched_the_lines_is_shown_as_it_was() -> None:
    old = Edit(path="net.py", search="return scaled / self.width", replace="return scaled / self.depth")
    elsewhere = Edit(path="net.py", search="return 3", replace="return math.pi")
    text = extract(FAILURE, FILES, [old, elsewhere]).text
    assert "return scaled / self.width" in text
    assert "return 3" not in text


def test_without_frames_it_outlines_every_file() -> None:
    structure = extract(Failure(kind="timeout", message="too long"), FILES)
    assert "WIDTH = 8" in structure.text
    assert "def scale(x):" in structure.text
    assert structure.files == ("main.py", "net.py")


def test_code_that_does_not_parse_is_shown_around_the_line() -> None:
    broken = NET.replace("def scale(x):", "def scale(x:")
    failure = Failure(kind="syntax", message="bad", frames=(Frame(path="net.py", line=15, function="<module>"),))
    assert "15 def scale(x:" in extract(failure, {"net.py": broken}).text


def test_long_functions_are_cut() -> None:
    body = "".join(f"    x{i} = {i}\n" for i in range(200))
    failure = Failure(kind="exception", message="m", frames=(Frame(path="a.py", line=3, function="f"),))
    text = extract(failure, {"a.py": f"def f():\n{body}"}).text
    assert "more lines" in text
    assert "x199" not in text
