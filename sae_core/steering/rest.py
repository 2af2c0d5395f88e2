"""Reads a batch once, and what follows a hook as often as is wanted, as far as it is changed.

A sweep asks the same prompts under many interventions. What lies before the hook stays the same,
and so do, behind it, the positions before the first one that is changed: with pictures first and
interventions at the question's words, nearly everything. Knows blocks, masks and caches; nothing
of what is changed.

Shapes: B rows, T positions of prompts and replies, S tokens of a reply, V vocabulary, D width.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from sae_core.lmm.adapter import Adapter, Inputs
from sae_core.lmm.hooks import own, rewritten
from sae_core.steering.logits import continued, logits_at

CLOSE = 1e-3
"""How far logits may lie apart that come from the same activations."""


class _Keys:
    """Takes a cache's place: keeps what the first pass attends to, for all that begin later."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[Tensor, Tensor]] = {}

    def update(self, key: Tensor, value: Tensor, layer: int, *_: Any) -> tuple[Tensor, Tensor]:
        """Keys and values of the whole sequence: the kept ones, then those of this pass."""
        if layer not in self._kept:
            self._kept[layer] = key, value
            return key, value
        before = self._kept[layer][0].shape[2] - key.shape[2]
        key, value = (
            torch.cat([old[:, :, :before], new], 2)
            for old, new in zip(self._kept[layer], (key, value), strict=True)
        )
        return key, value


class Rest:
    """What the model makes of a batch from a hook on, along one reply to each prompt."""

    @torch.no_grad()
    def __init__(self, adapter: Adapter, inputs: Inputs, hook: str, reply_BS: Tensor) -> None:
        self.adapter, self.block, self.length = adapter, adapter.block(hook), reply_BS.shape[1]
        self.tensors = continued(inputs.tensors, reply_BS[:, :-1])
        blocks = list(adapter.layers())
        self._later = blocks[blocks.index(self.block) + 1 :]
        self._named: list[dict[str, Any]] = []
        self._keys, seen = _Keys(), []

        def keep(x_BTD: Tensor) -> Tensor:
            seen.append(x_BTD)
            return x_BTD

        handles = [
            block.register_forward_pre_hook(own(self._listen), with_kwargs=True)
            for block in self._later
        ]
        try:
            with rewritten(self.block, keep):
                self.unchanged_BSV = self._whole()
        finally:
            for handle in handles:
                handle.remove()
        (self.x_BTD,) = seen
        self._ending: nn.Module | None = getattr(adapter.model.get_decoder(), "norm", None)
        self.quick = self._agrees()
        """Whether blocks can be run apart. Not every model ends with nothing but a norm and a
        head: one that does otherwise is run as a whole each time."""

    @torch.no_grad()
    def logits(self, change: Callable[[Tensor], Tensor]) -> Tensor:
        """The logits of each token of the reply and its rivals, once activations are changed."""
        if not self.quick:
            with rewritten(self.block, change):
                return self._whole()
        changed_BTD = change(self.x_BTD)
        changed = (changed_BTD != self.x_BTD).any(-1).any(0).nonzero()
        if not len(changed):
            return self.unchanged_BSV
        return self._again(changed_BTD, int(changed[0]))

    def _listen(self, _block: nn.Module, _given: tuple[Any, ...], named: dict[str, Any]) -> None:
        self._named.append(named)

    def _whole(self) -> Tensor:
        return logits_at(self.adapter, self.tensors, torch.arange(-self.length, 0)).float()

    def _again(self, x_BTD: Tensor, start: int) -> Tensor:
        """From a position on; those before are attended to as they were in the first pass."""
        start = min(start, x_BTD.shape[1] - self.length)
        x_BSD = x_BTD[:, start:]
        for block, named in zip(self._later, self._named, strict=True):
            out = block(x_BSD, **self._from(named, start))
            x_BSD = out[0] if isinstance(out, tuple) else out
        assert self._ending is not None
        head = self.adapter.model.get_output_embeddings()
        return head(self._ending(x_BSD[:, -self.length :])).float()

    def _from(self, named: dict[str, Any], start: int) -> dict[str, Any]:
        """What a block is given for the positions from one on."""
        mask = named.get("attention_mask")
        if mask is None:
            length = self.x_BTD.shape[1]
            mask = torch.ones(length, length, dtype=torch.bool, device=self.x_BTD.device).tril()
            barred = torch.full(mask.shape, -torch.inf).to(self.x_BTD)
            mask = torch.where(mask, torch.zeros_like(barred), barred)[None, None]
        turns = named.get("position_embeddings")
        ids = named.get("position_ids")
        return {
            **named,
            "attention_mask": mask[..., start:, :],
            "position_embeddings": turns and tuple(each[..., start:, :] for each in turns),
            "position_ids": None if ids is None else ids[..., start:],
            "past_key_values": self._keys,
        }

    def _agrees(self) -> bool:
        """Whether blocks run apart give the model's own logits, from the start and from later on.

        The first of the two passes fills the keys.
        """
        known = all("position_embeddings" in named for named in self._named)
        if self._ending is None or not known:
            return False
        return all(
            torch.allclose(
                self._again(self.x_BTD, start), self.unchanged_BSV, rtol=CLOSE, atol=CLOSE
            )
            for start in (0, self.x_BTD.shape[1])
        )
