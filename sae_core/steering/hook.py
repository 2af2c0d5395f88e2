"""Writes interventions into a block's output while a model reads a prompt and generates.

Knows coders, rows and positions; nothing of text or measurements.
- strict: x + the change of the touched features times their directions. What the coder does not
  explain stays, and only touched features are looked at: a hook on an idle feature costs nearly
  nothing.
- paper: as published. Values are changed before TopK at the prompt's tokens only, everything is
  replaced by its reconstruction, tokens being generated too.

Shapes: B rows, M interventions of a row at most, T positions of a prompt, S positions of a pass,
D width, K slots, N rows of any of them.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor

from sae_core.coders.coder import Norms, SparseCoder, check_feature, check_finite
from sae_core.coders.selection import Chunk, largest
from sae_core.coders.sparse import Code
from sae_core.errors import UserError
from sae_core.lmm.adapter import Adapter
from sae_core.lmm.fit import check_fits
from sae_core.lmm.hooks import rewritten
from sae_core.lmm.layout import PAD, Layout
from sae_core.steering.plan import Mode, Row, reaches
from sae_core.steering.reading import Reader, values_of


def norms_of(coder: SparseCoder, x_ND: Tensor) -> Norms | None:
    """What a normalising coder takes off the rows; its directions grow with their deviations."""
    return coder.prepared(x_ND)[1]


class _Spread(NamedTuple):
    """What holds at each position of the prompts, and what at each one after them."""

    prompt_BTM: Tensor
    later_B1M: Tensor

    def during(self, start: int, stop: int) -> Tensor:
        """What holds in a pass [B, S, M]; after the prompts one position stands for all."""
        length = self.prompt_BTM.shape[1]
        if start >= length:
            return self.later_B1M
        later_BSM = self.later_B1M.expand(-1, max(0, stop - length), -1)
        return torch.cat([self.prompt_BTM[:, start:stop], later_BSM], 1)


class Steerer:
    """Changes a block's output pass by pass; made anew for each sequence."""

    def __init__(
        self, coder: SparseCoder, layouts: Sequence[Layout], rows: Sequence[Row], mode: Mode
    ) -> None:
        if len(rows) != len(layouts):
            raise ValueError(f"{len(rows)} rows of interventions for {len(layouts)} prompts")
        self.coder, self.rows, self.mode = coder, rows, mode
        _check(coder, rows, mode)
        self.kept_BT = torch.stack([layout.kind_T for layout in layouts]) != PAD
        self.seen, self.length = 0, self.kept_BT.shape[1]
        self._lay_out(layouts)
        self._work_out()

    @torch.no_grad()
    def _lay_out(self, layouts: Sequence[Layout]) -> None:
        """The interventions as tensors, short rows filled up with some that do nothing."""
        shape = (len(self.rows), max(1, *(len(row.interventions) for row in self.rows)))
        feature_BM = torch.zeros(shape, dtype=torch.long)
        gain_BM, shift_BM = torch.zeros(shape), torch.zeros(shape)
        acting_BTM = torch.zeros(shape[0], self.length, shape[1], dtype=torch.bool)
        later_BM = torch.zeros(shape, dtype=torch.bool)
        for b, (row, layout) in enumerate(zip(self.rows, layouts, strict=True)):
            acting = reaches(row, layout)
            for m, (one, where) in enumerate(zip(row.interventions, acting, strict=True)):
                feature_BM[b, m], acting_BTM[b, :, m] = one.feature, where.prompt_T
                later_BM[b, m] = where.generated and self.mode == "strict"
                if not row.reconstructed:
                    gain_BM[b, m], shift_BM[b, m] = one.line
        own_BMD = self.coder.directions(feature_BM.flatten()).view(*shape, -1)
        write_BMD = own_BMD.clone()
        for b, row in enumerate(self.rows):
            if row.written_ID is not None:
                write_BMD[b, : len(row.interventions)] = row.written_ID.to(own_BMD)
        device = own_BMD.device
        self.feature_BM = feature_BM.to(device)
        self.acting = _Spread(acting_BTM.to(device), later_BM[:, None].to(device))
        self.gain, self.shift = (
            _Spread(*(each * line_BM.to(own_BMD)[:, None] for each in self.acting))
            for line_BM in (gain_BM, shift_BM)
        )
        self.write_BMD, self.swap_BMD = write_BMD, write_BMD - own_BMD

    @torch.no_grad()
    def _work_out(self) -> None:
        """What stays the same from pass to pass."""
        self.reader = Reader(self.coder, self.feature_BM)
        self.least = _Spread(
            *(torch.where(gain != 0, self.reader.least_B1M, torch.inf) for gain in self.gain)
        )
        self.reconstructed_B1 = torch.tensor(
            [[row.reconstructed] for row in self.rows], device=self.feature_BM.device
        )
        self.reconstructs = bool(self.reconstructed_B1.any())
        self.changed = [b for b, row in enumerate(self.rows) if row.interventions]
        self.idle_later = not bool(self.acting.later_B1M.any())
        self.constant_B1D = self.shift.later_B1M @ self.write_BMD
        """What a token that is generated is changed by where no feature that is read fires."""
        self.still = not (bool(self.gain.later_B1M.any()) or self.coder.config.normalised)

    @torch.no_grad()
    def __call__(self, x_BSD: Tensor) -> Tensor:
        """The output of the next pass, changed."""
        if len(x_BSD) != len(self.rows):
            raise ValueError(f"{len(x_BSD)} rows pass a hook made for {len(self.rows)}")
        start, self.seen = self.seen, self.seen + x_BSD.shape[1]
        if start < self.length:
            kept_BS = self.kept_BT[:, start : self.seen].to(x_BSD.device)
            check_finite(x_BSD[:, : kept_BS.shape[1]][kept_BS], "the steered layer")
        if self.mode == "paper":
            return self._published(x_BSD, start)
        if start >= self.length and self.idle_later:
            return x_BSD
        changed_BSD = x_BSD + self._delta(x_BSD, start).to(x_BSD.dtype)
        if self.reconstructs:
            acting_BS = self.acting.during(start, self.seen).any(-1)
            replaced_BS = (acting_BS & self.reconstructed_B1).expand(x_BSD.shape[:2])
            changed_BSD[replaced_BS] = self.coder(x_BSD[replaced_BS]).to(x_BSD.dtype)
        return changed_BSD

    def _delta(self, x_BSD: Tensor, start: int) -> Tensor:
        """What a pass is changed by, the error kept."""
        later = start >= self.length
        if later and self.still:
            return self.constant_B1D
        ready_BSD, norms = self.coder.prepared(x_BSD)
        values_BSM = self.reader(ready_BSD, self.least.during(start, self.seen))
        if values_BSM is None and later:
            delta_BSD = self.constant_B1D
        else:
            change_BSM = self.shift.during(start, self.seen)
            if values_BSM is not None:
                gain_BSM = self.gain.during(start, self.seen)
                change_BSM = torch.addcmul(change_BSM, gain_BSM, values_BSM)
            delta_BSD = change_BSM @ self.write_BMD
        return delta_BSD * norms.deviation_N1 if norms else delta_BSD

    def _published(self, x_BSD: Tensor, start: int) -> Tensor:
        """The reconstruction of every steered row, changed at the prompt's tokens."""
        changed_BSD = x_BSD.clone()
        if start >= self.length:
            made_ND = self.coder(x_BSD[self.changed].flatten(0, 1))
            changed_BSD[self.changed] = made_ND.view(-1, *x_BSD.shape[1:]).to(x_BSD.dtype)
            return changed_BSD
        for b in self.changed:
            changed_BSD[b] = self._row(b, x_BSD[b], start).to(x_BSD.dtype)
        return changed_BSD

    def _row(self, b: int, x_SD: Tensor, start: int) -> Tensor:
        coder = self.coder
        gain_SM, shift_SM, acting_SM = (
            each.during(start, self.seen)[b] for each in (self.gain, self.shift, self.acting)
        )
        ready_SD, norms = coder.prepared(x_SD)
        feature_M = self.feature_BM[b]

        def clamped(pre_SF: Tensor, span: slice | Tensor) -> Tensor:
            z_SF = pre_SF.relu_()
            for m in range(len(self.rows[b].interventions)):
                z_S = z_SF[:, feature_M[m]]
                z_SF[:, feature_M[m]] = z_S + gain_SM[span, m] * z_S + shift_SM[span, m]
            return z_SF

        chunk = Chunk(ready_SD, coder.W_enc, coder.b_enc, clamped)
        found = largest(len(x_SD), coder.config.k or 1, coder.features, chunk)
        code = Code(*found)
        made_SD = coder.decode(code, norms)
        if self.rows[b].written_ID is None:
            return made_SD
        # A control writes the same change elsewhere; what the feature had, stays where it was.
        change_SM = (code.of(feature_M) - values_of(coder, x_SD, feature_M)) * acting_SM
        swapped_SD = change_SM @ self.swap_BMD[b]
        return made_SD + (swapped_SD * norms.deviation_N1 if norms else swapped_SD)


def _check(coder: SparseCoder, rows: Sequence[Row], mode: Mode) -> None:
    for intervention in (one for row in rows for one in row.interventions):
        check_feature(coder, intervention.feature)
        if mode == "paper" and intervention.where == "generated":
            raise UserError(
                "Mode paper changes the prompt's tokens only, where=generated the others: they "
                "exclude each other. Try mode strict"
            )
    if mode == "paper" and coder.config.rule != "topk":
        raise UserError(
            f"Mode paper changes values before TopK, and this SAE is a {coder.config.rule} one. "
            "Try mode strict"
        )


@contextmanager
def steering(
    adapter: Adapter,
    coder: SparseCoder,
    hook: str,
    layouts: Sequence[Layout],
    rows: Sequence[Row],
    mode: Mode = "strict",
) -> Generator[None]:
    """Inside, one batch may be run: a forward pass, or a call of generate() with its cache.

    A pass longer than the prompts is teacher forcing: what follows counts as generated.
    """
    check_fits(adapter, coder, hook)
    if adapter.model.config.is_encoder_decoder and any(
        one.where == "generated" for row in rows for one in row.interventions
    ):
        raise UserError(
            f"{hook} of this {adapter.name} is in the encoder, which never sees generated tokens: "
            "where=generated would change nothing. Try where=all"
        )
    with rewritten(adapter.block(hook), Steerer(coder, layouts, rows, mode)):
        yield
