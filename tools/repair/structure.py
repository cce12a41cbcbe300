"""Exception-traceback-guided local code structure (Dolphin, arXiv:2501.03916, section 3.2), read from the syntax tree.

Dolphin asks a language model to describe the structure; here it is extracted, so that any model sees the same.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from eidothea.state.edit import Edit
from eidothea.state.request import Structure
from eidothea.state.trial import Failure, Frame

_LONG = 60  # lines of one definition that are shown before the rest is left out
_MOST = 12  # neighbours and callers that are shown
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class _Module:
    path: str
    lines: list[str]
    tree: ast.Module

    def source(self, node: ast.AST, most: int = _LONG) -> str:
        """The node's lines, numbered; decorators included."""
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])  # type: ignore[attr-defined]
        last = getattr(node, "end_lineno", None) or first
        shown = [f"{n:4} {self.lines[n - 1]}" for n in range(first, min(last, first + most - 1) + 1)]
        return "\n".join([*shown, f"     … {last - first + 1 - most} more lines"] if last - first >= most else shown)


def extract(failure: Failure, files: Mapping[str, str], edits: Sequence[Edit] = (), *, wide: bool = False) -> Structure:
    """What a repair needs to see of the candidate's tree.

    The failing statement, its function and class, the definitions it calls or reads one hop away, its callers, the
    imports, and the last of `edits` that touched these lines. `wide` adds the whole of the files that the traceback
    names. Without frames (a time-out, a missing file) the constants and the outline of every file are given.
    """
    modules = _parsed(files)
    frames = [frame for frame in failure.frames if frame.path in files]
    if not frames:
        return Structure(text="\n\n".join(_outline(modules, files)), files=tuple(sorted(files)))
    frame = frames[-1]
    sections = [_stack(frames)]
    if frame.path in modules:
        sections += _around(modules[frame.path], frame, modules)
    else:
        sections.append(_unparsed(frame, files[frame.path]))
    sections += _last_edit(frame, files[frame.path], edits)
    paths = tuple(dict.fromkeys(frame.path for frame in reversed(frames)))
    if wide:
        sections += [f"Whole file {path}:\n{_numbered(files[path])}" for path in paths]
    return Structure(text="\n\n".join(sections), files=paths)


def _parsed(files: Mapping[str, str]) -> dict[str, _Module]:
    modules = {}
    for path in sorted(files):
        if path.endswith(".py"):
            try:
                modules[path] = _Module(path, files[path].splitlines(), ast.parse(files[path]))
            except (SyntaxError, ValueError):
                continue
    return modules


def _stack(frames: Sequence[Frame]) -> str:
    calls = "\n".join(f"  {f.path}, line {f.line}, in {f.function}: {f.code}".rstrip(": ") for f in frames)
    return f"Calls through the candidate's own files, innermost last:\n{calls}"


def _around(module: _Module, frame: Frame, modules: Mapping[str, _Module]) -> list[str]:
    statement = _statement(module.tree, frame.line)
    chain = [node for node in _definitions(module.tree) if _holds(node, frame.line)]
    function = next((n for n in reversed(chain) if not isinstance(n, ast.ClassDef)), None)
    owner = next((n for n in reversed(chain) if isinstance(n, ast.ClassDef)), None)
    sections = [f"Imports of {module.path}:\n{_imports(module)}"]
    if statement is not None:
        sections.insert(0, f"Failing statement, {module.path}:\n{module.source(statement)}")
    if function is not None:
        sections.append(f"In the function:\n{module.source(function)}")
        sections += _callers(function.name if function.name != "__init__" or not owner else owner.name, modules)
    if owner is not None:
        members = ", ".join(n.name for n in owner.body if isinstance(n, Definition))
        sections.append(f"Of the class {owner.name} (line {owner.lineno}), which defines: {members}")
        if function is not None and function.name != "__init__":
            sections += [module.source(n) for n in owner.body if isinstance(n, Definition) and n.name == "__init__"]
    scope = function or statement
    return sections + (_neighbours(scope, function, modules) if scope is not None else [])


def _statement(tree: ast.Module, line: int) -> ast.stmt | None:
    """The smallest statement that holds a line."""
    around = [node for node in ast.walk(tree) if isinstance(node, ast.stmt) and _holds(node, line)]
    return min(around, key=lambda node: (node.end_lineno or node.lineno) - node.lineno, default=None)


def _holds(node: ast.stmt, line: int) -> bool:
    return node.lineno <= line <= (node.end_lineno or node.lineno)


def _definitions(tree: ast.AST) -> Iterator[Definition]:
    """Definitions at any depth, outer before inner."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Definition):
            yield node
        yield from _definitions(node)


def _imports(module: _Module) -> str:
    nodes = [node for node in module.tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    return "\n".join(module.source(node) for node in nodes) or "  (none)"


def _neighbours(scope: ast.AST, function: ast.AST | None, modules: Mapping[str, _Module]) -> list[str]:
    """Definitions and constants of the candidate's files that the scope names."""
    names = {n.id for n in ast.walk(scope) if isinstance(n, ast.Name)}
    names |= {n.attr for n in ast.walk(scope) if isinstance(n, ast.Attribute)}
    found: list[str] = []
    for module in modules.values():
        near = [n for n in _definitions(module.tree) if n.name in names and n is not function]
        found += [f"Used there, {module.path}:\n{module.source(node, 30)}" for node in near]
        constants = [n for n in module.tree.body if isinstance(n, ast.Assign | ast.AnnAssign) and _bound(n) & names]
        if constants:
            found.append(f"Read there, {module.path}:\n" + "\n".join(module.source(node, 8) for node in constants))
    return found[:_MOST]


def _bound(node: ast.Assign | ast.AnnAssign) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}


def _callers(name: str, modules: Mapping[str, _Module]) -> list[str]:
    calls = [
        f"  {module.path}, line {node.lineno}: {module.lines[node.lineno - 1].strip()}"
        for module in modules.values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and name in (getattr(node.func, "id", ""), getattr(node.func, "attr", ""))
    ]
    return [f"Called from:\n{chr(10).join(calls[:_MOST])}"] if calls else []


def _last_edit(frame: Frame, text: str, edits: Sequence[Edit]) -> list[str]:
    """The newest edit whose text now covers the failing line."""
    for edit in reversed(edits):
        at = text.find(edit.replace) if edit.path == frame.path and edit.search and edit.replace else -1
        if at < 0:
            continue
        first = text.count("\n", 0, at) + 1
        if first <= frame.line <= first + edit.replace.count("\n"):
            return [f"These lines were last edited; before, they read:\n{edit.search.strip(chr(10))}"]
    return []


def _unparsed(frame: Frame, text: str) -> str:
    lines = text.splitlines()
    near = range(max(1, frame.line - 6), min(len(lines), frame.line + 6) + 1)
    return f"Around line {frame.line} of {frame.path}:\n" + "\n".join(f"{n:4} {lines[n - 1]}" for n in near)


def _outline(modules: Mapping[str, _Module], files: Mapping[str, str]) -> Iterator[str]:
    for path in sorted(files):
        module = modules.get(path)
        if module is None:
            yield f"{path}: {len(files[path].splitlines())} lines"
            continue
        constants = [module.source(n, 4) for n in module.tree.body if isinstance(n, ast.Assign | ast.AnnAssign)]
        heads = [f"{n.lineno:4} {module.lines[n.lineno - 1].strip()}" for n in _definitions(module.tree)]
        yield "\n".join([f"{path}:", *constants, *heads])


def _numbered(text: str) -> str:
    return "\n".join(f"{n:4} {line}" for n, line in enumerate(text.splitlines(), start=1))
