"""Writes interventions into a block's output while a model reads a prompt and generates.

Knows coders, rows and positions; nothing of text or measurements.
- strict: x + the change of the touched features times their directions. What the coder does not
  explain stays, and only touched features are looked at: a hook on an idle feature costs nearly
  nothing.
- paper: as published. Values are changed before TopK at the prompt's tokens only, everything is
  replaced by its reconstruction, tokens being generated too.

Shapes: B rows, M interventions of a row at most, T positions of a prompt, S positions of a pass,
D width, U features read, K slots, N rows of any of them.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager

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

RIVALS = 8
"""One of how many features is a rival, to see cheaply that others can't be among the largest."""


def norms_of(coder: SparseCoder, x_ND: Tensor) -> Norms | None:
    """What a normalising coder takes off the rows; its directions grow with their deviations."""
    return coder.prepared(x_ND)[1]


def values_of(coder: SparseCoder, x_ND: Tensor, features: Tensor) -> Tensor:
    """The values of some features after selection; the rest is computed only where it matters.

    Under a threshold a feature depends on no other. Under TopK it does, but only in rows in which
    it could be among the k largest: k of a few rivals that beat it rule that out.
    """
    ready_ND, _ = coder.prepared(x_ND)
    values_NU = torch.addmm(coder.b_enc[features], ready_ND, coder.W_enc[features].T).relu()
    if coder.config.rule != "topk":
        return values_NU * (values_NU > coder.threshold[features])
    if not len(ready_ND):
        return values_NU
    open_N = (values_NU > _needed(coder, ready_ND)).any(1).nonzero()[:, 0]
    values_NU.zero_()
    if len(open_N):
        values_NU[open_N] = coder.fire(ready_ND[open_N]).code.of(features)
    return values_NU


def _needed(coder: SparseCoder, ready_ND: Tensor) -> Tensor:
    """What a value must exceed to fire, at the least: the k-th of the rivals, but never below zero.

    A little less, since a rival's own value may come out otherwise in the next product.
    """
    k = coder.config.k or 1
    rivals = max(k, coder.features // RIVALS)
    weight, bias = coder.W_enc[:rivals], coder.b_enc[:rivals]
    found = largest(len(ready_ND), k, rivals, Chunk(ready_ND, weight, bias))
    return found.found_NK.amin(1, keepdim=True).clamp(min=0) * 0.999


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
        self.most = max(1, *(len(row.interventions) for row in rows))
        self._lay_out(layouts)
        self._work_out()

    @torch.no_grad()
    def _lay_out(self, layouts: Sequence[Layout]) -> None:
        """The interventions as tensors, short rows filled up with some that do nothing."""
        shape = (len(self.rows), self.most)
        feature_BM = torch.zeros(shape, dtype=torch.long)
        gain_BM, shift_BM = torch.zeros(shape), torch.zeros(shape)
        prompt_BMT = torch.zeros(*shape, self.length, dtype=torch.bool)
        later_BM = torch.zeros(shape, dtype=torch.bool)
        for b, (row, layout) in enumerate(zip(self.rows, layouts, strict=True)):
            acting = reaches(row, layout)
            for m, (one, where) in enumerate(zip(row.interventions, acting, strict=True)):
                feature_BM[b, m] = one.feature
                prompt_BMT[b, m], later_BM[b, m] = where
                if not row.reconstructed:
                    gain_BM[b, m], shift_BM[b, m] = one.line
        own_BMD = self.coder.directions(feature_BM.flatten()).view(*shape, -1)
        write_BMD = own_BMD.clone()
        for b, row in enumerate(self.rows):
            if row.written_ID is not None:
                write_BMD[b, : len(row.interventions)] = row.written_ID.to(own_BMD)
        self.feature_BM = feature_BM.to(own_BMD.device)
        self.gain_BM, self.shift_BM = gain_BM.to(own_BMD), shift_BM.to(own_BMD)
        self.prompt_BMT, self.later_BM = (
            mask.to(own_BMD.device) for mask in (prompt_BMT, later_BM)
        )
        self.write_BMD, self.swap_BMD = write_BMD, write_BMD - own_BMD

    def _work_out(self) -> None:
        """What stays the same from pass to pass."""
        reads_BM = self.gain_BM != 0
        self.read_U, places = self.feature_BM[reads_BM].unique(return_inverse=True)
        self.place_BM = torch.zeros_like(self.feature_BM)
        self.place_BM[reads_BM] = places
        self.reconstructs = any(row.reconstructed for row in self.rows)
        self.reconstructed_B = torch.tensor(
            [row.reconstructed for row in self.rows], device=self.feature_BM.device
        )
        self.changed = [b for b, row in enumerate(self.rows) if row.interventions]
        self.idle_later = not bool(self.later_BM.any())
        self.normalised = self.coder.config.normalised
        reading = bool((reads_BM & self.later_BM).any())
        self.constant_BSD: Tensor | None = None
        if not (reading or self.normalised or self.reconstructs):
            shift_BSM = (self.shift_BM * self.later_BM)[:, None]
            self.constant_BSD = shift_BSM @ self.write_BMD

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
        if start >= self.length:
            if self.idle_later:
                return x_BSD
            if self.constant_BSD is not None:
                return x_BSD + self.constant_BSD.to(x_BSD.dtype)
        return self._strict(x_BSD, self._acting(start, self.seen))

    def _acting(self, start: int, stop: int) -> Tensor:
        """Which interventions act where in a pass [B, M, S]."""
        later = max(0, stop - max(start, self.length))
        later_BMS = self.later_BM[..., None].expand(-1, -1, later)
        return torch.cat([self.prompt_BMT[..., start:stop], later_BMS], -1)

    def _strict(self, x_BSD: Tensor, acting_BMS: Tensor) -> Tensor:
        change_BMS = self.shift_BM[..., None]
        if len(self.read_U):
            values_BMS = self._values(x_BSD, acting_BMS)
            change_BMS = self.gain_BM[..., None] * values_BMS + change_BMS
        change_BSM = torch.where(acting_BMS, change_BMS, 0).transpose(1, 2)
        delta_BSD = change_BSM @ self.write_BMD
        if self.normalised and (norms := norms_of(self.coder, x_BSD)):
            delta_BSD = delta_BSD * norms.deviation_N1
        changed_BSD = x_BSD + delta_BSD.to(x_BSD.dtype)
        if self.reconstructs:
            replaced_BS = acting_BMS.any(1) & self.reconstructed_B[:, None]
            made_ND = self.coder(x_BSD[replaced_BS])
            changed_BSD[replaced_BS] = made_ND.to(x_BSD.dtype)
        return changed_BSD

    def _values(self, x_BSD: Tensor, acting_BMS: Tensor) -> Tensor:
        """The values of the features that interventions depend on, zero where none acts."""
        wanted_BS = (acting_BMS & (self.gain_BM != 0)[..., None]).any(1)
        found_NU = values_of(self.coder, x_BSD[wanted_BS], self.read_U)
        values_BSU = found_NU.new_zeros(*wanted_BS.shape, len(self.read_U))
        values_BSU[wanted_BS] = found_NU
        place_BSM = self.place_BM[:, None].expand(-1, wanted_BS.shape[1], -1)
        return values_BSU.gather(2, place_BSM).transpose(1, 2)

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
        acting_MS = self._acting(start, start + len(x_SD))[b]
        acting_MS[:, max(0, self.length - start) :] = False
        ready_SD, norms = coder.prepared(x_SD)
        gain_M, shift_M, feature_M = self.gain_BM[b], self.shift_BM[b], self.feature_BM[b]

        def clamped(pre_SF: Tensor, span: slice | Tensor) -> Tensor:
            z_SF = pre_SF.relu_()
            for m in range(len(self.rows[b].interventions)):
                z_S = z_SF[:, feature_M[m]]
                changed_S = z_S + gain_M[m] * z_S + shift_M[m]
                z_SF[:, feature_M[m]] = torch.where(acting_MS[m, span], changed_S, z_S)
            return z_SF

        chunk = Chunk(ready_SD, coder.W_enc, coder.b_enc, clamped)
        found = largest(len(x_SD), coder.config.k or 1, coder.features, chunk)
        code = Code(*found)
        made_SD = coder.decode(code, norms)
        if self.rows[b].written_ID is None:
            return made_SD
        # A control writes the same change elsewhere; what the feature had, stays where it was.
        change_SM = (code.of(feature_M) - values_of(coder, x_SD, feature_M)) * acting_MS.T
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
