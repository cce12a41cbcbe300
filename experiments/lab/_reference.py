"""The laboratory's reference: every public name with its signature and the first line of its docstring."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

LAB = Path(__file__).parent
TITLE = "# The laboratory\n\nBuilding blocks to import; made from the docstrings by `_reference.py`.\n"


def reference() -> str:
    """The text of README.md, as the coder agent is shown it."""
    files = sorted(path for path in LAB.rglob("*.py") if not path.name.startswith("_"))
    return "\n".join([TITLE, *(section(path) for path in files)])


def section(path: Path) -> str:
    """One module: its import path, what it is about, and its public names."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    module = ".".join(("eidothea.experiments.lab", *path.relative_to(LAB).with_suffix("").parts))
    return "\n".join([f"## `{module}`", "", first_line(tree), "", *entries(tree)]) + "\n"


def entries(tree: ast.Module) -> Iterator[str]:
    """A line per public function, class and method."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield f"- `{signature(node)}` {first_line(node)}".rstrip()
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield f"- `class {node.name}({fields(node)})` {first_line(node)}".rstrip()
            for method in node.body:
                if isinstance(method, ast.FunctionDef) and not method.name.startswith("_") and first_line(method):
                    yield f"  - `.{signature(method)}` {first_line(method)}"


def signature(node: ast.FunctionDef) -> str:
    """`name(arguments) -> result`, without self."""
    arguments = ast.unparse(node.args).removeprefix("self, ").removeprefix("self")
    result = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    is_property = any(ast.unparse(decorator) == "property" for decorator in node.decorator_list)
    return f"{node.name}{result}" if is_property else f"{node.name}({arguments}){result}"


def fields(node: ast.ClassDef) -> str:
    """The arguments of a class: those of its `__init__`, or its annotated fields."""
    for item in node.body:
        if isinstance(item, ast.FunctionDef) and item.name == "__init__":
            return ast.unparse(item.args).removeprefix("self, ").removeprefix("self")
    return ", ".join(ast.unparse(item) for item in node.body if isinstance(item, ast.AnnAssign))


def first_line(node: ast.Module | ast.ClassDef | ast.FunctionDef) -> str:
    """The first line of a docstring, or nothing."""
    return (ast.get_docstring(node) or "").partition("\n")[0]


if __name__ == "__main__":
    (LAB / "README.md").write_text(reference(), encoding="utf-8")
