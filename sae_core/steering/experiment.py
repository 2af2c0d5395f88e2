"""A steering experiment: one prompt, many interventions, their controls, and what they did.

Knows which rows to run and what to measure; how a feature is written is the hook's knowledge. All
rows of a batch, the unsteered one and the controls too, differ only in what is written.

Shapes: S tokens of a reply, V tokens of the vocabulary, F features.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from sae_core.coders.coder import SparseCoder
from sae_core.errors import UserError
from sae_core.lmm.adapter import Adapter, Inputs, Prompt
from sae_core.lmm.fit import check_fits
from sae_core.steering.controls import Control, control_row
from sae_core.steering.hook import steering
from sae_core.steering.logits import first_token, generated, repeated, reply_logits
from sae_core.steering.plan import Intervention, Mode, Row

Heard = Callable[[Sequence[str]], None]
"""Is told what the rows say as far as they are, in the order of the outcomes, after each token; the
last rows may be missing yet. What it raises ends the experiment."""


class Outcome(BaseModel):
    """What one row said and how far it went from the unsteered model."""

    model_config = ConfigDict(frozen=True)

    control: Control | None
    """None for the unsteered row and for what is tested."""
    entry: int | None
    """Which entry of the sweep it is, or controls for; None for the unsteered row."""
    interventions: tuple[Intervention, ...]
    text: str
    ids: tuple[int, ...]
    logits: dict[str, float]
    """Of each word asked for, as the first token of the reply."""
    changes: dict[str, float]
    """The same, less the unsteered row's."""
    kl: tuple[float, ...]
    """KL(this || unsteered) in nats, at each token of the unsteered reply; the first is the next
    token's."""
    perplexity: float | None = None
    """Of this text under the unsteered model; None where nobody asked."""


class Steered(BaseModel):
    """A finished experiment."""

    model_config = ConfigDict(frozen=True)

    hook: str
    mode: Mode
    seed: int
    unsteered: Outcome
    entries: tuple[Outcome, ...]
    """One for each entry of the sweep, in order."""
    controls: tuple[Outcome, ...]

    def of(self, control: Control) -> tuple[Outcome, ...]:
        """One control's outcomes, in the order of the entries."""
        return tuple(outcome for outcome in self.controls if outcome.control == control)


class _Planned(NamedTuple):
    control: Control | None
    entry: int | None
    row: Row


def steer(
    adapter: Adapter,
    coder: SparseCoder,
    hook: str,
    prompt: Prompt,
    sweep: Sequence[Sequence[Intervention]],
    *,
    tokens: int = 64,
    mode: Mode = "strict",
    words: Sequence[str] = (),
    controls: Sequence[Control] = (),
    rates_F: np.ndarray | None = None,
    seed: int = 0,
    batch: int = 16,
    heard: Heard | None = None,
    fluency: bool = True,
) -> Steered:
    """Run every entry of a sweep and its controls, in batches, and measure what they did.

    Without `fluency` no perplexity, which takes one more pass.
    """
    check_fits(adapter, coder, hook)
    if tokens < 1 or not all(sweep):
        raise UserError(
            f"A reply of {tokens} tokens, a sweep of {len(sweep)} entries: at least one token, and "
            "an intervention in each entry, are needed"
        )
    asked = {word: first_token(adapter, word) for word in words}
    plan = [_Planned(None, None, Row())]
    plan += [_Planned(None, at, Row(tuple(entry))) for at, entry in enumerate(sweep)]
    for control in controls:
        for at, entry in enumerate(sweep):
            row = control_row(control, entry, coder, rates_F=rates_F, seed=seed)
            plan.append(_Planned(control, at, row))
    run = _Run(adapter, coder, hook, mode, adapter.prepare([prompt]), batch)
    outcomes = _outcomes(run, plan, asked, tokens, heard, fluency)
    return Steered(
        hook=hook,
        mode=mode,
        seed=seed,
        unsteered=outcomes[0],
        entries=tuple(outcomes[1 : 1 + len(sweep)]),
        controls=tuple(outcomes[1 + len(sweep) :]),
    )


class _Run(NamedTuple):
    """What stays the same from batch to batch."""

    adapter: Adapter
    coder: SparseCoder
    hook: str
    mode: Mode
    inputs: Inputs
    batch: int

    def replies(self, rows: Sequence[Row], tokens: int, heard: Heard | None = None) -> list[Tensor]:
        """What each row says."""
        said: list[Tensor] = []

        def tell(begun: list[Tensor]) -> None:
            if heard is not None:
                heard(self.texts([*said, *begun]))

        for some in self._batches(rows):
            inputs = repeated(self.inputs, len(some))
            with self._steering(some):
                said += generated(self.adapter, inputs.tensors, tokens, tell if heard else None)
        return said

    def texts(self, replies: Sequence[Tensor]) -> list[str]:
        """Replies in words."""
        told = self.adapter.processor.batch_decode(replies, skip_special_tokens=True)
        return [text.strip() for text in told]

    def logits(self, rows: Sequence[Row], reply_S: Tensor) -> Iterator[Tensor]:
        """Each row's logits along one reply [S, V]."""
        for some in self._batches(rows):
            inputs = repeated(self.inputs, len(some))
            with self._steering(some):
                yield from reply_logits(self.adapter, inputs.tensors, reply_S.expand(len(some), -1))

    def perplexities(self, replies: Sequence[Tensor]) -> list[float]:
        """Of replies under the unsteered model."""
        found: list[float] = []
        for at in range(0, len(replies), self.batch):
            some = replies[at : at + self.batch]
            # What follows a shorter reply is read by nothing that counts; it may be any token but
            # a picture's, so one that was said.
            reply_BS = pad_sequence(list(some), batch_first=True, padding_value=int(some[0][0]))
            inputs = repeated(self.inputs, len(some))
            logs_BSV = reply_logits(self.adapter, inputs.tensors, reply_BS).log_softmax(-1)
            said_BS = logs_BSV.gather(2, reply_BS[..., None])[..., 0]
            found += [
                float(logs_S[: len(reply)].mean().neg().exp())
                for logs_S, reply in zip(said_BS, some, strict=True)
            ]
        return found

    def _batches(self, rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
        return (rows[at : at + self.batch] for at in range(0, len(rows), self.batch))

    def _steering(self, rows: Sequence[Row]) -> AbstractContextManager[None]:
        layouts = self.inputs.layouts * len(rows)
        return steering(self.adapter, self.coder, self.hook, layouts, rows, self.mode)


@torch.no_grad()
def _outcomes(
    run: _Run,
    plan: Sequence[_Planned],
    asked: dict[str, int],
    tokens: int,
    heard: Heard | None,
    fluency: bool,
) -> list[Outcome]:
    rows = [planned.row for planned in plan]
    replies = run.replies(rows, tokens, heard)
    texts = run.texts(replies)
    perplexities = run.perplexities(replies) if fluency else [None] * len(replies)
    first: Tensor | None = None
    outcomes = []
    for at, logits_SV in enumerate(run.logits(rows, replies[0])):
        first = logits_SV if first is None else first
        logs_SV, plain_SV = logits_SV.log_softmax(-1), first.log_softmax(-1)
        kl_S = (logs_SV.exp() * (logs_SV - plain_SV)).sum(-1).clamp(min=0)
        moved_V = logits_SV[0] - first[0]
        outcomes.append(
            Outcome(
                control=plan[at].control,
                entry=plan[at].entry,
                interventions=rows[at].interventions,
                text=texts[at],
                ids=tuple(replies[at].tolist()),
                logits={word: float(logits_SV[0, token]) for word, token in asked.items()},
                changes={word: float(moved_V[token]) for word, token in asked.items()},
                kl=tuple(kl_S.tolist()),
                perplexity=perplexities[at],
            )
        )
    return outcomes
