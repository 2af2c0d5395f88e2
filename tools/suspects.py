"""The tool suspects: which features make the model give a wrong answer to some questions.

Two things count together: how much a feature speaks for the wrong answer or against it, at the
picture's tokens or at the text's, and whether its values there tell wrong answers from right ones
that sound the same. Knows questions; attribution is sae_core's knowledge.

Shapes: N questions, F features.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from sae_core.attribution.linear import KINDS, Attribution, Part, ask
from sae_core.attribution.linear import attribute as attributed
from sae_core.lmm.adapter import Prompt
from tools.answers import QuestionSplit
from tools.lab import Lab
from tools.question_sets import QuestionSet
from tools.tool import Arguments, Result, tool

PARTS: tuple[Part, ...] = ("image", "text")


class SuspectsArguments(Arguments):
    """Questions that got the same answer, wrongly and rightly."""

    split: QuestionSplit = "validate"
    """validate to find a fix on; test is sealed."""
    wrong: tuple[int, ...] = Field(min_length=1, max_length=256)
    """Questions that the model answers wrongly."""
    right: tuple[int, ...] = Field(min_length=1, max_length=256)
    """Questions that it gives the same answer to, rightly."""
    answer: str = Field(min_length=1, max_length=100)
    """What it says, by the first token."""
    instead: str = Field(min_length=1, max_length=100)
    """What it should have said to the wrong ones."""
    top: int = Field(default=10, ge=1, le=100)
    """How many features are told."""


class Suspect(BaseModel):
    """A feature that speaks for the wrong answer or, below zero, against it."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    feature: int
    by_image: float
    """Its score at the picture's tokens, the mean over wrong answers, in logits."""
    by_text: float
    """Its score at the text's tokens."""
    separability: float
    """AUROC of its largest value there for wrong against right answers; 0.5 tells nothing."""

    @property
    def part(self) -> Part:
        """Where it speaks most."""
        return "text" if abs(self.by_text) >= abs(self.by_image) else "image"

    @property
    def score(self) -> float:
        """What it says there."""
        return self.by_text if self.part == "text" else self.by_image


class SuspectsResult(Result):
    """The features that count most."""

    difference: float
    """logit(answer) - logit(instead), the mean over wrong answers: what is to be overcome."""
    suspects: tuple[Suspect, ...]


class _Seen(NamedTuple):
    """What was found for some questions."""

    difference_N: Tensor
    score_NF: dict[Part, Tensor]
    peak_NF: dict[Part, Tensor]


@tool("Find the features that make the model give a wrong answer, in some wrong and right cases.")
def suspects(lab: Lab, args: SuspectsArguments) -> SuspectsResult:
    """One forward and one backward pass for each question."""
    questions = lab.questions(args.split)
    wrong = _seen(lab, questions, args.wrong, args.answer, args.instead)
    right = _seen(lab, questions, args.right, args.answer, args.instead)
    score_PF = torch.stack([wrong.score_NF[part].mean(0) for part in PARTS])
    told_PF = torch.stack([_aurocs(wrong.peak_NF[part], right.peak_NF[part]) for part in PARTS])
    part_F = score_PF.abs().argmax(0)[None]
    strength_F = score_PF.gather(0, part_F)[0].abs()
    told_F = told_PF.gather(0, part_F)[0]
    worth_F = strength_F * (2 * told_F - 1).abs()
    best = worth_F.topk(min(args.top, len(worth_F)))
    return SuspectsResult(
        difference=float(wrong.difference_N.mean()),
        suspects=tuple(
            Suspect(
                feature=f,
                by_image=float(score_PF[0, f]),
                by_text=float(score_PF[1, f]),
                separability=float(told_F[f]),
            )
            for f in best.indices[best.values > 0].tolist()
        ),
    )


def _seen(
    lab: Lab, questions: QuestionSet, numbers: Sequence[int], answer: str, instead: str
) -> _Seen:
    seeing = lab.seeing
    differences, scores, peaks = [], {part: [] for part in PARTS}, {part: [] for part in PARTS}
    for number in numbers:
        prompt = Prompt((questions.picture(number),), questions.asked(number).question)
        inputs = seeing.adapter.prepare([prompt])
        asked = ask(seeing.adapter, seeing.coder, seeing.hook, inputs, answer, instead)
        found = attributed(asked)
        differences.append(found.difference)
        for part in PARTS:
            scores[part].append(found.totals(part).cpu())
            peaks[part].append(_peaks(found, part))
    return _Seen(
        torch.tensor(differences),
        {part: torch.stack(rows) for part, rows in scores.items()},
        {part: torch.stack(rows) for part, rows in peaks.items()},
    )


def _peaks(found: Attribution, part: Part) -> Tensor:
    """Each feature's largest value at the tokens of a part [F]."""
    at = found.layout.where(*KINDS[part]).to(found.scores_TK.device)
    values, indices = found.code.values_NK[at].flatten(), found.code.indices_NK[at].flatten()
    empty_F = values.new_zeros(found.coder.features)
    return empty_F.scatter_reduce(0, indices, values, "amax").cpu()


def _aurocs(wrong_NF: Tensor, right_NF: Tensor) -> Tensor:
    """How often a wrong case has the larger value, equal ones counting half [F]."""
    more_F = torch.zeros(wrong_NF.shape[1])
    for wrong_F in wrong_NF:
        more_F += (wrong_F > right_NF).float().mean(0) + 0.5 * (wrong_F == right_NF).float().mean(0)
    return more_F / len(wrong_NF)
