"""The tool answers: what the target answers to a set's questions, with and without interventions.

Knows which questions are asked and which answers are right; how features are written is sae_core's
knowledge. An answer is right if the model, left alone, would begin its reply with the right one
word for word: at each of its tokens, no other token is as likely.

Shapes: B questions of a batch, S tokens of an answer, V vocabulary, D width, F features.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from sae_core.errors import UserError
from sae_core.lmm.adapter import Inputs, Prompt
from sae_core.lmm.hooks import harvest
from sae_core.lmm.layout import TEXT
from sae_core.lmm.processor import ids_of
from sae_core.steering.controls import Control, control_row
from sae_core.steering.hook import Steerer
from sae_core.steering.plan import Intervention, Mode, Row
from sae_core.steering.rest import Rest
from tools.artefacts import ArtefactId
from tools.lab import Lab
from tools.question_sets import QuestionSet, evenly
from tools.tool import Arguments, Result, tool

AT_ONCE = 16
RATED = 64
"""On so many questions it is counted how often features fire at their words."""
QuestionSplit = Literal["validate", "test"]
"""Questions to find a fix on, and to test it on, once."""


class Trial(BaseModel):
    """Interventions under which all questions are asked, or a control of them."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: str = "unsteered"
    interventions: tuple[Intervention, ...] = ()
    control: Control | None = None
    """Run this control of the interventions in their place."""
    mode: Mode = "strict"
    """strict keeps what the coder does not explain; paper does as was published."""
    seed: int = 0
    """Of a control's draw."""


class AnswersArguments(Arguments):
    """Which questions, and under which interventions."""

    split: QuestionSplit = "validate"
    """validate to find a fix on; test is sealed."""
    numbers: tuple[int, ...] = Field(min_length=1, max_length=20_000)
    """The questions' numbers in the set."""
    trials: tuple[Trial, ...] = Field(default=(Trial(),), min_length=1, max_length=256)
    """All questions are asked once under each."""
    hint: str = Field(default="", max_length=400)
    """Said before each question."""


class Answered(BaseModel):
    """One answer."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    number: int
    said: str
    """The first word of the reply, as far as it is one token."""
    lead: float
    """By how many logits the right answer is ahead of all others, where it is least so."""

    @property
    def right(self) -> bool:
        """Whether the reply begins with the right answer."""
        return self.lead > 0


class AnswerSheet(BaseModel):
    """All answers of one trial."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    split: QuestionSplit
    questions: str
    """The digest of the set."""
    hint: str
    trial: Trial
    answers: tuple[Answered, ...]
    """In the order in which they were asked for."""


class TrialResult(BaseModel):
    """How many answers were right."""

    model_config = ConfigDict(frozen=True)

    name: str
    right: int
    sheet: ArtefactId


class AnswersResult(Result):
    """A sheet for each trial."""

    n: int
    """How many questions were asked."""
    trials: tuple[TrialResult, ...]


class _Batch(NamedTuple):
    """Questions whose answers have about the same length."""

    numbers: tuple[int, ...]
    inputs: Inputs
    replies: tuple[Tensor, ...]
    reply_BS: Tensor


@tool("Ask the target a set's questions, with and without interventions, and count right answers.")
def answers(lab: Lab, args: AnswersArguments) -> AnswersResult:
    """Each batch is read once and answered under all trials."""
    questions, seeing = lab.questions(args.split), lab.seeing
    numbers = _checked(questions, args.numbers)
    rows = _rows(lab, questions, numbers, args.trials)
    found: list[dict[int, Answered]] = [{} for _ in rows]
    for batch in _batches(lab, questions, numbers, args.hint):
        layouts, size = batch.inputs.layouts, len(batch.numbers)
        rest = Rest(seeing.adapter, batch.inputs, seeing.hook, batch.reply_BS)
        for answered, row, trial in zip(found, rows, args.trials, strict=True):
            logits_BSV = rest.unchanged_BSV
            if row.interventions:
                steerer = Steerer(seeing.coder, layouts, [row] * size, trial.mode)
                logits_BSV = rest.logits(steerer)
            answered.update(_read(lab, batch, logits_BSV))
    results = []
    for trial, answered in zip(args.trials, found, strict=True):
        told = tuple(answered[number] for number in numbers)
        sheet = AnswerSheet(
            split=args.split, questions=questions.digest, hint=args.hint, trial=trial, answers=told
        )
        kept = lab.artefacts.put_document(sheet)
        results.append(
            TrialResult(name=trial.name, right=sum(one.right for one in told), sheet=kept)
        )
    return AnswersResult(n=len(numbers), trials=tuple(results))


def _checked(questions: QuestionSet, numbers: Sequence[int]) -> tuple[int, ...]:
    for number in numbers:
        if not 0 <= number < len(questions):
            raise UserError(
                f"There is no question {number} in this set: it has {len(questions)} "
                f"(0 to {len(questions) - 1}). Choose one of these"
            )
    return tuple(dict.fromkeys(numbers))


def _rows(
    lab: Lab, questions: QuestionSet, numbers: Sequence[int], trials: Sequence[Trial]
) -> list[Row]:
    """What each trial writes. Stand-ins for a feature fire as often as it at the words asked."""
    rates_F = None
    if any(trial.control == "random_feature" for trial in trials):
        rates_F = _word_rates(lab, questions, evenly(numbers, RATED))
    coder = lab.seeing.coder
    return [
        Row(trial.interventions)
        if trial.control is None
        else control_row(
            trial.control, trial.interventions, coder, rates_F=rates_F, seed=trial.seed
        )
        for trial in trials
    ]


@torch.no_grad()
def _word_rates(lab: Lab, questions: QuestionSet, numbers: Sequence[int]) -> np.ndarray:
    """At what share of the text's tokens each feature fires [F]."""
    seeing = lab.seeing
    fired_F, tokens = torch.zeros(seeing.features), 0
    for batch in _batches(lab, questions, numbers, ""):
        x_BTD = harvest(seeing.adapter, batch.inputs, seeing.hook)
        text_BT = torch.stack([layout.kind_T == TEXT for layout in batch.inputs.layouts])
        code = seeing.coder.encode(x_BTD[text_BT.to(x_BTD.device)])
        fired_F += torch.bincount(
            code.indices_NK[code.fired()].cpu(), minlength=seeing.features
        ).float()
        tokens += int(text_BT.sum())
    return (fired_F / tokens).numpy()


def _batches(
    lab: Lab, questions: QuestionSet, numbers: Sequence[int], hint: str
) -> Iterator[_Batch]:
    """Questions with short answers first, so that few positions are padding."""
    adapter = lab.seeing.adapter
    asked = {number: questions.asked(number) for number in numbers}
    replies = {
        number: torch.tensor(ids_of(adapter.processor, one.answer), dtype=torch.long)
        for number, one in asked.items()
    }
    for number, reply in replies.items():
        if not len(reply):
            raise UserError(
                f"The answer {asked[number].answer!r} to question {number} has no tokens in this "
                "model: it can't be compared. Take the question out of the set"
            )
    order = sorted(numbers, key=lambda n: (len(replies[n]), len(asked[n].question)))
    for at in range(0, len(order), AT_ONCE):
        some = tuple(order[at : at + AT_ONCE])
        prompts = [
            Prompt((questions.picture(n),), " ".join(filter(None, (hint, asked[n].question))))
            for n in some
        ]
        said = tuple(replies[n] for n in some)
        # What follows a shorter answer is read by nothing that counts; it may be any token but a
        # picture's, so one that is said.
        padded_BS = pad_sequence(list(said), batch_first=True, padding_value=int(said[0][0]))
        inputs = adapter.prepare(prompts)
        yield _Batch(some, inputs, said, padded_BS.to(adapter.model.device))


def _read(lab: Lab, batch: _Batch, logits_BSV: Tensor) -> dict[int, Answered]:
    """The answers in a batch's logits."""
    own_BS = logits_BSV.gather(2, batch.reply_BS[..., None])[..., 0]
    others_BSV = logits_BSV.scatter(2, batch.reply_BS[..., None], -torch.inf)
    lead_BS = (own_BS - others_BSV.amax(-1)).cpu()
    first_B = logits_BSV[:, 0].argmax(-1).tolist()
    words = lab.seeing.adapter.processor.tokenizer.batch_decode([[token] for token in first_B])
    return {
        number: Answered(number=number, said=word.strip(), lead=float(lead_S[: len(reply)].min()))
        for number, word, lead_S, reply in zip(
            batch.numbers, words, lead_BS, batch.replies, strict=True
        )
    }
