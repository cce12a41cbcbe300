"""Moves: what the built-in catalogue may try on a task, as plain data.

A move changes named places of the baseline by search-and-replace. `$name` in a replacement is filled with the
value of the parameter `name`; the search text must occur exactly once in the file.
"""

from __future__ import annotations

from string import Template
from typing import Annotated, Literal

from pydantic import Field

from eidothea.state.base import Value
from eidothea.state.edit import Edit

Setting = float | int | str | bool


class FloatParam(Value):
    kind: Literal["float"] = "float"
    low: float
    high: float
    log: bool = False


class IntParam(Value):
    kind: Literal["int"] = "int"
    low: int
    high: int
    step: int = 1
    log: bool = False


class ChoiceParam(Value):
    kind: Literal["choice"] = "choice"
    options: tuple[Setting, ...] = Field(min_length=1)


Param = Annotated[FloatParam | IntParam | ChoiceParam, Field(discriminator="kind")]


class Move(Value):
    """One published method that can be put into a task's baseline."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    changes: str
    mechanism: str
    papers: tuple[str, ...] = ()
    params: dict[str, Param] = Field(default_factory=dict)
    conflicts: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = Field(min_length=1)

    def render(self, settings: dict[str, Setting]) -> list[Edit]:
        """The move's edits with its parameters filled in.

        Raises KeyError when a parameter of the replacement has no setting.
        """
        values = {name: repr(value) for name, value in settings.items()}
        return [edit.model_copy(update={"replace": Template(edit.replace).substitute(values)}) for edit in self.edits]


class MoveUse(Value):
    """A move with the settings an idea chose for it."""

    move: str = Field(max_length=100)
    settings: dict[str, Setting] = Field(default_factory=dict, max_length=20)
