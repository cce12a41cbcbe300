"""What a server was found to understand: found out once per server and model, remembered for the process."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from eidothea.models._chat.form import Form, Mode


@dataclass
class Dialect:
    """`form` is how requests are put; it is `proven` once an answer put that way fitted its schema.

    A mode that fails only for some requests after that is lowered for these alone. `max_output` and `context` are
    limits in tokens that the server has named.
    """

    form: Form
    proven: bool = False
    lowered: dict[str, Mode] = field(default_factory=dict)
    max_output: int | None = None
    context: int | None = None

    def form_of(self, name: str) -> Form:
        """How the request `name` is put."""
        return replace(self.form, mode=self.lowered.get(name, self.form.mode))

    def learn(self, name: str, form: Form, proven: bool) -> None:
        """The request `name` went through in this form; `proven` says that its answer fitted."""
        if form.mode != self.form.mode and self.proven:
            self.lowered[name] = form.mode
            form = replace(form, mode=self.form.mode)
        self.form = form
        self.proven = self.proven or proven


_KNOWN: dict[tuple[str, str], Dialect] = {}


def dialect(endpoint: str, model: str, start: Form) -> Dialect:
    """What is known of a model at an endpoint; at first that is `start`."""
    return _KNOWN.setdefault((endpoint, model), Dialect(start))


def forget() -> None:
    """Know nothing of any server again."""
    _KNOWN.clear()
