"""The prompts as they were last read by a person: `python tests/support/golden_prompts.py` renews them.

Renewing is a command of its own, so that no test can pass by it. Recordings are keyed by prompts: make those anew too.
"""

from __future__ import annotations

from pathlib import Path

from prompt_contexts import CONTEXTS

from eidothea.prompts._render import render

# .txt: ruff formats the Python that stands in Markdown files.
GOLDEN = Path(__file__).parents[1] / "unit" / "prompts" / "golden"
RENEW = "read the difference, then renew: python tests/support/golden_prompts.py"


def rendered(name: str) -> str:
    """System and user message of the fixed context, as one page."""
    prompt = render(name, CONTEXTS[name])
    return f"<!-- system -->\n{prompt.system}\n<!-- user -->\n{prompt.user}"


if __name__ == "__main__":
    for each in CONTEXTS:
        (GOLDEN / f"{each}.txt").write_text(rendered(each), encoding="utf-8")
