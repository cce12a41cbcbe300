"""A fake language model behind HTTP that answers every request of a run on the toy task, always in the same way."""

from __future__ import annotations

import json
import re
from typing import Any

from llm_server import Body, Play, says, usage

INPUT, OUTPUT = 900, 100  # tokens that every answer is said to have used
PREDICTION = {"metric": "r2", "direction": "increase", "min_effect": 0.01, "confidence": 0.5}


def play(body: Body, before_s: float = 0.0) -> Play:
    """What the fake says to a request, after so many seconds."""
    name = body["response_format"]["json_schema"]["name"]
    answer = {
        "score_papers": scores,
        "propose_ideas": ideas,
        "write_code": code,
        "repair": lambda user: {"diagnosis": "There is nothing to mend.", "edits": []},
        "analyse": lambda user: {"happened": "It ran.", "why": "It did.", "next": "More.", "lesson": "Go on."},
    }[name](asked(body))
    return says(json.dumps(answer), tokens=usage(INPUT, OUTPUT), before_s=before_s)


def asked(body: Body) -> str:
    """The request's own words."""
    return str(body["messages"][1]["content"])


def scores(user: str) -> dict[str, Any]:
    found = dict.fromkeys(re.findall(r"arxiv:\d+\.\d+", user))
    return {"scores": [{"paper": paper, "score": 8, "reason": "near enough"} for paper in found]}


def ideas(user: str) -> dict[str, Any]:
    wanted = re.search(r"Propose (\d+) ideas", user)
    assert wanted, user[:3000]
    # Ideas of later rounds must differ from those that exist already.
    first = 5 + 20 * user.count("passes over the points.")
    return {"ideas": [idea(first + n) for n in range(int(wanted[1]))]}


def idea(epochs: int) -> dict[str, Any]:
    return {
        "title": f"Train for {epochs} epochs",
        "hypothesis": {
            "claim": f"r2 rises with {epochs} passes over the points.",
            "mechanism": "It underfits.",
            "prediction": PREDICTION,
            "falsifier": "No gain.",
        },
        "method": f"EPOCHS = {epochs}",
        "plan": ["edit"],
        "citations": [],
        "parents": [],
        "risk": "none",
        "moves": [],
    }


def code(user: str) -> dict[str, Any]:
    epochs = re.findall(r"EPOCHS = (\d+)", user)[-1]  # the idea stands behind the code
    return {"edits": [{"path": "experiment.py", "search": "EPOCHS = 4", "replace": f"EPOCHS = {epochs}"}]}
