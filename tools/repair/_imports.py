"""Which import brings a name, and where in a file it goes."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

from eidothea.state.edit import Edit
from eidothea.tools.repair._lines import line_edit

LAB = "eidothea.experiments.lab"
_COMMON = {
    "F": "import torch.nn.functional as F",
    "nn": "from torch import nn",
    "np": "import numpy as np",
    "Counter": "from collections import Counter",
    "Path": "from pathlib import Path",
    "Tensor": "from torch import Tensor",
    "dataclass": "from dataclasses import dataclass",
    "defaultdict": "from collections import defaultdict",
    "partial": "from functools import partial",
}
_MODULES = frozenset(
    "argparse collections copy csv dataclasses functools itertools json math numpy operator os pathlib random re "
    "statistics string sys time torch".split()
)


def statement_for(name: str) -> str:
    """The import statement for a name everybody knows, or that one module of the lab defines; "" for any other."""
    if name in _COMMON:
        return _COMMON[name]
    if name in _MODULES:
        return f"import {name}"
    modules = _lab_symbols().get(name, ())
    return f"from {modules[0]} import {name}" if len(modules) == 1 else ""


def insertion(path: str, text: str, statement: str) -> Edit:
    """An edit that adds the statement after the file's last top-level import, or before its first statement."""
    body = ast.parse(text).body
    imports = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    lines = text.splitlines()
    if imports:
        line = imports[-1].end_lineno or imports[-1].lineno
        return line_edit(path, text, line, f"{lines[line - 1]}\n{statement}")
    is_remark = bool(body) and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    rest = body[1:] if is_remark else body
    if not rest:
        return Edit(path=path, replace=f"{text.rstrip()}\n\n{statement}\n")
    first = min([rest[0].lineno, *(d.lineno for d in getattr(rest[0], "decorator_list", []))])
    return line_edit(path, text, first, f"{statement}\n\n{lines[first - 1]}")


@functools.cache
def _lab_symbols() -> dict[str, tuple[str, ...]]:
    """Public functions and classes of the lab, each with the modules that define it; read, never imported."""
    import eidothea.experiments

    found: dict[str, tuple[str, ...]] = {}
    for root in (Path(folder) / "lab" for folder in eidothea.experiments.__path__):
        for file in sorted(root.rglob("[a-z]*.py")):
            module = ".".join((LAB, *file.relative_to(root).with_suffix("").parts))
            for node in ast.parse(file.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                    found[node.name] = (*found.get(node.name, ()), module)
    return found
