"""What the catalogue may try on the toy task."""

from __future__ import annotations

from eidothea.state.edit import Edit
from eidothea.state.move import FloatParam, IntParam, Move

FILE = "experiment.py"
PAPERS = ("arxiv:1707.06347", "arxiv:0000.00000")  # one that the bundled corpus knows, and one that nobody does

MOVES = (
    Move(
        name="step_size",
        title="A larger step size",
        changes="the step size of gradient descent",
        mechanism="Few small steps stop far from the minimum; larger steps get there, too large ones diverge.",
        papers=PAPERS,
        params={"step": FloatParam(low=0.005, high=1.5, log=True)},
        edits=(Edit(path=FILE, search="STEP_SIZE = 0.02", replace="STEP_SIZE = $step"),),
    ),
    Move(
        name="epochs",
        title="Longer training",
        changes="how often the points are passed over",
        mechanism="An underfitted model gains from more passes over the same points.",
        papers=PAPERS,
        params={"epochs": IntParam(low=1, high=60)},
        edits=(Edit(path=FILE, search="EPOCHS = 4", replace="EPOCHS = $epochs"),),
    ),
    Move(
        name="weight_decay",
        title="Weight decay",
        changes="the regularisation of the weights",
        mechanism="Shrinking the weights lowers variance, and costs bias where there is little to overfit.",
        papers=PAPERS,
        params={"decay": FloatParam(low=0.0001, high=0.3, log=True)},
        edits=(Edit(path=FILE, search="WEIGHT_DECAY = 0.0", replace="WEIGHT_DECAY = $decay"),),
    ),
    Move(
        name="polynomial",
        title="Polynomial features",
        changes="the features of the model",
        mechanism="The function is curved; powers of the input let a linear model follow the curve.",
        papers=PAPERS,
        params={"degree": IntParam(low=2, high=5)},
        edits=(
            Edit(
                path=FILE,
                search="    return [1.0, x]",
                replace="    return [x**power for power in range($degree + 1)]",
            ),
        ),
    ),
    Move(
        name="averaging",
        title="Averaged stochastic gradient descent",
        changes="which weights are returned",
        mechanism="The average of the iterates has less noise than the last one.",
        papers=PAPERS,
        edits=(
            Edit(
                path=FILE,
                search="    weights = [rng.gauss(0, 0.5) for _ in features(0.0)]\n",
                replace="    weights = [rng.gauss(0, 0.5) for _ in features(0.0)]\n    path = []\n",
            ),
            Edit(
                path=FILE,
                search="zip(weights, gradient, strict=True)]\n    return weights",
                replace="zip(weights, gradient, strict=True)]\n            path.append(weights)\n"
                "    late = path[len(path) // 2 :]\n    return [sum(w) / len(late) for w in zip(*late, strict=True)]",
            ),
        ),
    ),
)
