"""Turn a request's context into the text that a language model, or a person, reads."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from pydantic import BaseModel

if TYPE_CHECKING:
    from jinja2 import Environment


def render(name: str, context: BaseModel) -> str:
    """The prompt of the request `name`, filled in with the fields of its context.

    Raises jinja2.UndefinedError when the template asks for a field that the context lacks, and
    jinja2.TemplateNotFound when there is no such prompt.
    """
    fields = {field: getattr(context, field) for field in type(context).model_fields}
    return _environment().get_template(f"{name}.md.j2").render(fields)


@functools.cache
def _environment() -> Environment:
    import jinja2

    return jinja2.Environment(
        loader=jinja2.PackageLoader("eidothea.prompts", ""),
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
