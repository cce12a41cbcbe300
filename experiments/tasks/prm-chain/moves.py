"""What the catalogue may try on prm-chain: published methods as edits of the baseline.

They touch five separate places, so that most of them combine: the model and its step scores (scorer.py), the objective
(`loss_of`), the targets (targets.py), the training constants, and the decision (experiment.py).
"""

from __future__ import annotations

from eidothea.state.edit import Edit
from eidothea.state.move import ChoiceParam, FloatParam, IntParam, Move

EXPERIMENT, SCORER, TARGETS = "experiment.py", "scorer.py", "targets.py"
LAB = "from eidothea.experiments.lab"
LOSS_IMPORT = f"{LAB}.rewards.objectives.cross_entropy import cross_entropy"
LOSS = "    return cross_entropy(logits, targets)"
NOT_PAIRED = ("monte_carlo_labels", "whole_solution")  # these objectives see whole solutions anyway
TARGET = "    targets[:] = rollouts.outcome[:, None]"
TARGET_DOC = "    Every prefix is trained towards the outcome of its solution, the only label there is."

LAST_PREFIX = (
    Edit(path=TARGETS, search=TARGET, replace="    targets[:, -1] = rollouts.outcome"),
    Edit(path=TARGETS, search=TARGET_DOC, replace="    Only the whole solution has a label: its outcome."),
)

IMPLICIT_PRM = Move(
    name="implicit_prm",
    title="Implicit process rewards",
    changes="the head by the log-likelihood ratio of a trained copy of the policy and the policy itself",
    mechanism=(
        "A language model trained on outcomes with the reward beta * log(phi / ref) learns Q-values of all prefixes, "
        "so that the difference from one step to the next is that step's reward, without any step label."
    ),
    papers=("arxiv:2412.01981", "arxiv:2502.01456", "arxiv:2404.12358"),
    params={
        "beta": FloatParam(low=0.05, high=2.0, log=True),
        "per_token": ChoiceParam(options=(False, True)),
        "cumulative": ChoiceParam(options=(False, True)),
    },
    conflicts=("head_depth", "frozen_body", "step_progress", "whole_solution", "monte_carlo_labels"),
    edits=(
        *LAST_PREFIX,
        Edit(
            path=SCORER,
            search=f"{LAB}.rewards.outcome_head import OutcomeHead, at_ends",
            replace=f"{LAB}.rewards.implicit_prm import (\n    mean_prefix_rewards,\n    prefix_rewards,\n"
            "    step_rewards,\n    token_log_ratios,\n)",
        ),
        Edit(
            path=SCORER,
            search="HEAD_LAYERS = 0",
            replace="BETA = $beta\nPER_TOKEN = $per_token  # divide by the prefix's length\n"
            "CUMULATIVE = $cumulative  # judge a step by the prefix it ends, not by its own reward",
        ),
        Edit(
            path=SCORER,
            search='"""An outcome reward model (arXiv:2110.14168): the policy\'s network and a head, read at the '
            'end of each prefix."""',
            replace='"""An implicit process reward model (arXiv:2412.01981): beta * log(phi / ref) of each prefix."""',
        ),
        Edit(
            path=SCORER,
            search="self.head = OutcomeHead(policy.config.width, HEAD_LAYERS)",
            replace="self.reference = deepcopy(policy).requires_grad_(False)",
        ),
        Edit(
            path=SCORER,
            search="        return at_ends(self.head(self.body.hidden(ids)), self.ends)",
            replace="        rewards = mean_prefix_rewards if PER_TOKEN else prefix_rewards\n"
            "        return rewards(token_log_ratios(self.body, self.reference, ids), self.ends, BETA)",
        ),
        Edit(
            path=SCORER,
            search="    scores = logits[:, 1:]",
            replace="    scores = logits[:, 1:] if CUMULATIVE else step_rewards(logits)",
        ),
        Edit(
            path=SCORER,
            search="the value of the prefix that the step ends.",
            replace="their implicit rewards.",
        ),
    ),
)

HEAD_DEPTH = Move(
    name="head_depth",
    title="A deeper outcome head",
    changes="the linear head to one with transformer layers of its own",
    mechanism=(
        "Features of correctness are not linear in what the policy computes for prediction; own layers can form them."
    ),
    papers=("arxiv:2110.14168", "arxiv:2305.20050"),
    params={"layers": IntParam(low=1, high=2)},
    conflicts=("implicit_prm",),
    edits=(Edit(path=SCORER, search="HEAD_LAYERS = 0", replace="HEAD_LAYERS = $layers"),),
)

FROZEN_BODY = Move(
    name="frozen_body",
    title="Train the head only",
    changes="the body to stay the policy that sampled the solutions",
    mechanism=(
        "Few outcome labels overfit a whole network; the policy's frozen features keep what it knows of the steps."
    ),
    papers=("arxiv:2110.14168", "arxiv:2311.09724"),
    conflicts=("implicit_prm",),
    edits=(
        Edit(
            path=SCORER,
            search="self.body = deepcopy(policy)",
            replace="self.body = deepcopy(policy).requires_grad_(False)",
        ),
    ),
)

STEP_PROGRESS = Move(
    name="step_progress",
    title="Score a step by its progress",
    changes="a step's score to the change of the value that it brings about",
    mechanism=(
        "A prefix's value carries the problem's difficulty and earlier errors; the difference isolates this step."
    ),
    papers=("arxiv:2410.08146", "arxiv:2410.11287"),
    conflicts=("implicit_prm",),
    edits=(
        Edit(path=SCORER, search="    scores = logits[:, 1:]", replace="    scores = logits[:, 1:] - logits[:, :-1]"),
        Edit(
            path=SCORER,
            search="the value of the prefix that the step ends.",
            replace="the change of value that they bring about.",
        ),
    ),
)

POLICY_LIKELIHOOD = Move(
    name="policy_likelihood",
    title="Add the policy's own likelihood of the step",
    changes="a step's score by adding its weighted log-probability under the policy",
    mechanism=(
        "A policy is unsure where it errs: the likelihood of its own step is evidence that no outcome label gives."
    ),
    papers=("arxiv:2404.12358", "arxiv:2505.11227", "arxiv:2408.15240"),
    params={"weight": FloatParam(low=0.05, high=5.0, log=True)},
    edits=(
        Edit(
            path=SCORER,
            search=f"{LAB}.policy.tiny_gpt import TinyGPT",
            replace=f"{LAB}.policy.tiny_gpt import TinyGPT\n{LAB}.rewards.step_likelihood import step_logprobs",
        ),
        Edit(
            path=SCORER,
            search="    return scores\n",
            replace="    # The policy is unsure where it errs.\n"
            "    return scores + $weight * step_logprobs(policy, ids, ends)\n",
        ),
    ),
)

BY_PROBLEM = (
    Edit(
        path=EXPERIMENT,
        search='"""Indices of all rollouts in random order, cut into batches."""',
        replace='"""Indices of all rollouts cut into batches, the problems in random order: pairs share a problem."""',
    ),
    Edit(
        path=EXPERIMENT,
        search="    order = torch.randperm(len(rollouts.ids), generator=generator)\n",
        replace="    keys = torch.rand(int(rollouts.problem.max()) + 1, generator=generator)\n"
        "    order = keys[rollouts.problem].argsort(stable=True)\n",
    ),
)


def objective(name: str, call: str) -> tuple[Edit, ...]:
    """The edits that put another objective of the laboratory in the place of cross-entropy."""
    return (
        Edit(path=SCORER, search=LOSS_IMPORT, replace=f"{LAB}.rewards.objectives.{name} import {name}"),
        Edit(path=SCORER, search=LOSS, replace=f"    return {call}"),
    )


DPO_OBJECTIVE = Move(
    name="dpo_objective",
    title="Pairwise preference objective (DPO, Bradley-Terry)",
    changes="cross-entropy on outcomes to the preference of right over wrong solutions of the same problem",
    mechanism="Comparing solutions of one problem cancels the problem's difficulty, which says nothing about steps.",
    papers=("arxiv:2305.18290", "arxiv:2412.01981"),
    conflicts=("nca_objective", "kto_objective", "squared_error", *NOT_PAIRED),
    edits=(*objective("dpo", "dpo(logits[:, -1], targets[:, -1], problem)"), *BY_PROBLEM),
)

NCA_OBJECTIVE = Move(
    name="nca_objective",
    title="Noise contrastive alignment",
    changes="cross-entropy on outcomes to a pairwise objective that also fixes the level of the rewards",
    mechanism="DPO only widens the gap and may lower both rewards; NCA keeps the right solution's reward up.",
    papers=("arxiv:2402.05369", "arxiv:2412.01981"),
    conflicts=("dpo_objective", "kto_objective", "squared_error", *NOT_PAIRED),
    edits=(*objective("nca", "nca(logits[:, -1], targets[:, -1], problem)"), *BY_PROBLEM),
)

KTO_OBJECTIVE = Move(
    name="kto_objective",
    title="Kahneman-Tversky objective",
    changes="cross-entropy on outcomes to a bounded, class-balanced loss around a reference point",
    mechanism="Wrong solutions are the majority; weighing the classes alike and saturating keeps them from dominating.",
    papers=("arxiv:2402.01306", "arxiv:2412.01981"),
    conflicts=("dpo_objective", "nca_objective", "squared_error", *NOT_PAIRED),
    edits=objective("kto", "kto(logits[:, -1], targets[:, -1])"),
)

SQUARED_ERROR = Move(
    name="squared_error",
    title="Squared error of probabilities",
    changes="cross-entropy to the squared error that outcome-supervised value models use",
    mechanism=(
        "The squared error is bounded, so that labels that happen to be wrong pull less than under cross- entropy."
    ),
    papers=("arxiv:2311.09724",),
    conflicts=("dpo_objective", "nca_objective", "kto_objective"),
    edits=objective("squared_error", "squared_error(logits, targets)"),
)

WHOLE_SOLUTION = Move(
    name="whole_solution",
    title="Outcome labels for whole solutions only",
    changes="the targets of all prefixes but the last to none",
    mechanism=(
        "The outcome is a wrong label for the right first steps of a wrong solution; the last prefix has no such noise."
    ),
    papers=("arxiv:2211.14275", "arxiv:2305.20050"),
    conflicts=("monte_carlo_labels", "implicit_prm", "dpo_objective", "nca_objective", "kto_objective"),
    edits=LAST_PREFIX,
)

MONTE_CARLO_LABELS = Move(
    name="monte_carlo_labels",
    title="Monte-Carlo labels of prefixes",
    changes="the targets to how often the policy completes each prefix to the right answer",
    mechanism=(
        "A prefix from which the policy still gets there is probably right. With a fixed budget of completions, n of "
        "each prefix trade the labels' noise against how many solutions have any."
    ),
    papers=("arxiv:2312.08935", "arxiv:2406.06592", "arxiv:2504.00891", "arxiv:2501.07301"),
    params={
        "kind": ChoiceParam(options=("hard", "soft", "progress")),
        "n": ChoiceParam(options=(4, 8, 16, 32)),
    },
    conflicts=("implicit_prm", "whole_solution", "dpo_objective", "nca_objective", "kto_objective"),
    edits=(
        Edit(
            path=TARGETS,
            search=f"{LAB}.policy.tiny_gpt import TinyGPT\n",
            replace=f"{LAB}.labels.monte_carlo import hard_labels, progress_labels, success_rates\n"
            f"{LAB}.policy.tiny_gpt import TinyGPT\n\n"
            "KIND = $kind\nCOMPLETIONS = $n  # of each prefix\n"
            "BUDGET = 4  # completions of each prefix of each rollout, if all had labels\n",
        ),
        Edit(
            path=TARGETS,
            search=TARGET_DOC,
            replace="    Some solutions have labels of all prefixes, from completions by the policy\n"
            "    (arXiv:2312.08935); the others have none.",
        ),
        Edit(
            path=TARGETS,
            search=TARGET,
            replace="    n = len(rollouts.ids) * BUDGET // COMPLETIONS\n"
            "    some = torch.randperm(len(rollouts.ids), generator=generator)[:n]\n"
            "    answers = rollouts.answer[some]\n\n"
            "    def is_right(ids: Tensor, rows: Tensor) -> Tensor:\n"
            "        return ids[:, layout.answer_at] == answers[rows]\n\n"
            "    ids, ends = rollouts.ids[some], layout.ends[:-1]\n"
            "    rates = success_rates(policy, ids, ends, COMPLETIONS, is_right, generator)\n"
            "    rates = torch.cat([rates, rollouts.outcome[some, None]], 1)\n"
            '    labels = {"hard": hard_labels, "soft": torch.clone, "progress": progress_labels}[KIND]\n'
            "    targets[some] = labels(rates)",
        ),
    ),
)

REGULARISATION = Move(
    name="regularisation",
    title="Stronger regularisation",
    changes="weight decay and dropout",
    mechanism="A few thousand outcome labels are memorised; a smoother network has to rely on what repeats.",
    papers=("arxiv:2110.14168",),
    params={
        "weight_decay": FloatParam(low=0.003, high=1.0, log=True),
        "dropout": FloatParam(low=0.0, high=0.3),
    },
    edits=(
        Edit(path=EXPERIMENT, search="WEIGHT_DECAY = 0.01", replace="WEIGHT_DECAY = $weight_decay"),
        Edit(path=EXPERIMENT, search="DROPOUT = 0.0", replace="DROPOUT = $dropout"),
    ),
)

TRAINING_LENGTH = Move(
    name="training_length",
    title="Training length and learning rate",
    changes="how long and how fast the reward model is trained",
    mechanism="Too short leaves the outcome unlearnt, too long memorises it; verifiers overfit within a few epochs.",
    papers=("arxiv:2110.14168", "arxiv:2211.14275"),
    params={
        "epochs": IntParam(low=2, high=10),
        "learning_rate": FloatParam(low=1e-4, high=3e-3, log=True),
    },
    edits=(
        Edit(path=EXPERIMENT, search="EPOCHS = 6", replace="EPOCHS = $epochs"),
        Edit(path=EXPERIMENT, search="LEARNING_RATE = 5e-4", replace="LEARNING_RATE = $learning_rate"),
    ),
)

THRESHOLD_RULE = Move(
    name="threshold_rule",
    title="Another rule for the threshold",
    changes="what the threshold maximises on held-out outcomes",
    mechanism=(
        "Outcomes stand in for steps with a bias (right answers hide flawed steps), and each rule weighs it "
        "differently."
    ),
    papers=("arxiv:2501.07301", "arxiv:2501.03124"),
    params={"rule": ChoiceParam(options=("youden", "accuracy"))},
    edits=(Edit(path=EXPERIMENT, search='RULE = "harmonic"', replace="RULE = $rule"),),
)

LOWEST_STEP = Move(
    name="lowest_step",
    title="Blame the lowest step",
    changes="the first step below the threshold to the lowest one below it",
    mechanism="A solution is as good as its worst step; the lowest score is the surest sign where several are low.",
    papers=("arxiv:2504.15275",),
    edits=(
        Edit(path=EXPERIMENT, search="import first_below", replace="import lowest_below"),
        Edit(path=EXPERIMENT, search="where = first_below(", replace="where = lowest_below("),
    ),
)

MOVES: tuple[Move, ...] = (
    IMPLICIT_PRM,
    HEAD_DEPTH,
    FROZEN_BODY,
    STEP_PROGRESS,
    POLICY_LIKELIHOOD,
    DPO_OBJECTIVE,
    NCA_OBJECTIVE,
    KTO_OBJECTIVE,
    SQUARED_ERROR,
    WHOLE_SOLUTION,
    MONTE_CARLO_LABELS,
    REGULARISATION,
    TRAINING_LENGTH,
    THRESHOLD_RULE,
    LOWEST_STEP,
)
