"""Repairs by rule: what a failure alone says about how to mend it. Best first; none for most failures."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Callable, Mapping, Sequence

from eidothea.state.edit import Edit
from eidothea.state.record import AttemptRecord
from eidothea.state.request import Suggestion
from eidothea.state.trial import Failure
from eidothea.tools.repair import _constants, _imports
from eidothea.tools.repair._lines import line_edit

Files = Mapping[str, str]
Rule = Callable[[Failure, Files], list[Suggestion]]


def suggest(failure: Failure, files: Files, history: Sequence[AttemptRecord] = ()) -> list[Suggestion]:
    """The repairs that rules know for this failure of this tree, best first.

    The last resort is to take back the newest repair in `history`.
    """
    found = [suggestion for rule in _RULES for suggestion in rule(failure, files)]
    return found + _taken_back(history)


def _missing_import(failure: Failure, files: Files) -> list[Suggestion]:
    name = _undefined_name(failure)
    path = failure.frames[-1].path if failure.frames else ""
    statement = _imports.statement_for(name) if name and path in files else ""
    if not statement:
        return []
    edit = _imports.insertion(path, files[path], statement)
    return [Suggestion(rule="missing_import", diagnosis=f"{name} is used but not imported.", edits=(edit,))]


def _misspelt(failure: Failure, files: Files) -> list[Suggestion]:
    """A name or attribute with exactly one close match in scope."""
    frame = failure.frames[-1] if failure.frames else None
    wrong = _undefined_name(failure) or _unknown_attribute(failure)
    if frame is None or not wrong or frame.path not in files:
        return []
    right = _meant(failure, wrong, files)
    lines = files[frame.path].splitlines()
    if not right or not 1 <= frame.line <= len(lines):
        return []
    mended = re.sub(rf"\b{re.escape(wrong)}\b", right, lines[frame.line - 1])
    if mended == lines[frame.line - 1]:
        return []
    edit = line_edit(frame.path, files[frame.path], frame.line, mended)
    return [Suggestion(rule="misspelt", diagnosis=f"{wrong} does not exist; {right} was meant.", edits=(edit,))]


def _meant(failure: Failure, wrong: str, files: Files) -> str:
    hint = re.search(r"Did you mean: '(\w+)'", f"{failure.message}\n{failure.log_tail[-2000:]}")
    if hint:
        return hint[1]
    names = _attributes(files) if _unknown_attribute(failure) else _names(files[failure.frames[-1].path])
    close = difflib.get_close_matches(wrong, sorted(names - {wrong}), n=2, cutoff=0.75)
    return close[0] if len(close) == 1 else ""


def _undefined_name(failure: Failure) -> str:
    found = re.search(r"name '(\w+)' is not defined", failure.message)
    return found[1] if found and failure.kind == "exception" else ""


def _unknown_attribute(failure: Failure) -> str:
    found = re.search(r"has no attribute '(\w+)'", failure.message)
    return found[1] if found and failure.kind == "exception" else ""


def _names(source: str) -> set[str]:
    """Names that the file binds: variables, parameters, functions, classes and imports."""
    bound: set[str] = set()
    for node in _nodes(source):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.alias):
            bound.add(node.asname or node.name.partition(".")[0])
    return bound


def _attributes(files: Files) -> set[str]:
    """Attributes that the files set or define: members of classes and what is assigned on an object."""
    found: set[str] = set()
    for path, source in files.items():
        for node in _nodes(source) if path.endswith(".py") else []:
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                found.add(node.attr)
            elif isinstance(node, ast.ClassDef):
                found |= {n.name for n in node.body if isinstance(n, ast.FunctionDef)}
                fields = [n.target for n in node.body if isinstance(n, ast.AnnAssign)]
                found |= {target.id for target in fields if isinstance(target, ast.Name)}
    return found


def _nodes(source: str) -> list[ast.AST]:
    try:
        return list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError):
        return []


def _too_slow(failure: Failure, files: Files) -> list[Suggestion]:
    if failure.kind != "timeout" or failure.step != "train":
        return []
    edits = _constants.scaled(files, r"STEPS|EPOCHS|ITERS|ITERATIONS|UPDATES", 0.5)
    why = "Training ran out of time; half the work is done instead."
    return [Suggestion(rule="halve_steps", diagnosis=why, edits=edits)] if edits else []


def _too_large(failure: Failure, files: Files) -> list[Suggestion]:
    if failure.kind != "memory":
        return []
    edits = _constants.scaled(files, r"BATCH|BATCH_SIZE|CHUNK|CHUNK_SIZE", 0.5)
    why = f"{failure.step} ran out of memory; batches are halved."
    return [Suggestion(rule="halve_batch", diagnosis=why, edits=edits)] if edits else []


def _diverged(failure: Failure, files: Files) -> list[Suggestion]:
    """A lower learning rate and clipped gradients, together when they touch different lines."""
    if failure.kind != "divergence":
        return []
    slower = _constants.scaled(files, r"LR|LEARNING_RATE", 0.3)
    clipped = _constants.clipping(files)
    why = "Training diverged; " + " and ".join(
        part for part, there in (("the learning rate is lowered", slower), ("gradients are clipped", clipped)) if there
    )
    edits = (*slower, *clipped)
    return [Suggestion(rule="calm_training", diagnosis=f"{why}.", edits=edits)] if edits else []


def _taken_back(history: Sequence[AttemptRecord]) -> list[Suggestion]:
    last = history[-1].edits if history else ()
    if not last or not all(edit.search and edit.replace for edit in last):
        return []
    undone = tuple(Edit(path=e.path, search=e.replace, replace=e.search) for e in reversed(last))
    why = f"The last repair ({history[-1].diagnosis.strip()[:200]}) did not help and is taken back."
    return [Suggestion(rule="take_back", diagnosis=why, edits=undone)]


_RULES: tuple[Rule, ...] = (_missing_import, _misspelt, _too_slow, _too_large, _diverged)
