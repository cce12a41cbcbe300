"""Code and repairs: the edits of an idea's moves, and the best repair that rules suggest."""

from __future__ import annotations

from eidothea.errors import ModelMistake
from eidothea.state.request import CodeContext, Edits, Repair, RepairContext


def write_code(context: CodeContext) -> Edits:
    """The edits of the idea's moves in order.

    Raises ModelMistake when the idea has no moves, or moves that the task does not know, or when these very edits
    were refused before: the catalogue has no second way to write the same idea.
    """
    if context.problem:
        raise ModelMistake(f"the moves of idea {context.idea.id} do not fit together: {context.problem}")
    if not context.idea.moves:
        raise ModelMistake(f"idea {context.idea.id} names no moves, and the catalogue can write nothing else")
    moves = {move.name: move for move in context.moves}
    unknown = [use.move for use in context.idea.moves if use.move not in moves]
    if unknown:
        raise ModelMistake(f"idea {context.idea.id} uses moves this task does not have: {', '.join(unknown)}")
    try:
        return Edits(edits=tuple(e for use in context.idea.moves for e in moves[use.move].render(use.settings)))
    except KeyError as error:
        raise ModelMistake(f"a move of idea {context.idea.id} has no setting for {error}") from None


def repair(context: RepairContext) -> Repair:
    """The first suggestion, which is the best that has not been tried; without one it gives up with the cause."""
    if not context.suggestions:
        cause = f"{context.failure.kind}: {context.failure.message}".strip()
        return Repair(diagnosis=f"No rule mends this ({cause})."[:4000])
    best = context.suggestions[0]
    return Repair(diagnosis=best.diagnosis[:4000], edits=best.edits)
