from __future__ import annotations

import ast

import eidothea.experiments.lab._reference as _reference


def test_the_readme_is_up_to_date() -> None:
    readme = (_reference.LAB / "README.md").read_text(encoding="utf-8")
    assert readme == _reference.reference(), "run: python -m eidothea.experiments.lab._reference"


def test_every_public_function_says_what_it_does() -> None:
    for line in _reference.reference().splitlines():
        assert not line.startswith("- `") or line.rsplit("`", 1)[1].strip(), line


def test_the_laboratory_imports_nothing_else_of_eidothea() -> None:
    for path in _reference.LAB.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for module in modules:
                assert not module.startswith("eidothea") or module.startswith("eidothea.experiments.lab"), path
