"""What is wrong with a tree that can be told without running it: syntax, and names that nothing defines."""

from __future__ import annotations

import ast
import builtins
import symtable
import warnings
from collections.abc import Iterator, Mapping

_MODULE = "__file__ __name__ __doc__ __spec__ __loader__ __package__ __module__ __qualname__"
_GIVEN = frozenset(dir(builtins)) | frozenset(_MODULE.split())


def problems(files: Mapping[str, str]) -> list[str]:
    """One sentence per problem, file by file; empty when nothing is known to be wrong."""
    return [problem for path in sorted(files) if path.endswith(".py") for problem in _of_file(path, files[path])]


def _of_file(path: str, source: str) -> list[str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a dubious escape in candidate code is no concern of this process
            tree = ast.parse(source, path)
            compile(source, path, "exec", dont_inherit=True)
            table = symtable.symtable(source, path, "exec")
    except SyntaxError as error:
        text = (error.text or "").strip()
        return [f"{path}, line {error.lineno}: {error.msg}: {text}"]
    except ValueError as error:
        return [f"{path}: {error}"]
    if any(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in ast.walk(tree)):
        return []
    missing = _undefined(table)
    return [f"{path}, line {line}: nothing defines {name!r}" for name, line in _first_uses(tree, missing)]


def _undefined(table: symtable.SymbolTable) -> set[str]:
    """Names read as globals or builtins that the module never binds (in any scope, by `global` too)."""
    scopes = list(_scopes(table))
    bound = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}
    bound |= {s.get_name() for t in scopes for s in t.get_symbols() if s.is_declared_global() and s.is_assigned()}
    read = {s.get_name() for t in scopes for s in t.get_symbols() if s.is_referenced() and s.is_global()}
    read |= {s.get_name() for s in table.get_symbols() if s.is_referenced()}
    return read - bound - _GIVEN


def _scopes(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _scopes(child)


def _first_uses(tree: ast.Module, names: set[str]) -> list[tuple[str, int]]:
    first: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in names:
            first[node.id] = min(node.lineno, first.get(node.id, node.lineno))
    return sorted(first.items(), key=lambda use: use[1])
