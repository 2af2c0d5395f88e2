"""What a model would say next: words as tokens, a prompt repeated, replies appended, logits.

Knows models' inputs and outputs; nothing of coders or interventions.

Shapes: B rows, T positions, S tokens of a reply, V tokens of the vocabulary.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from transformers.generation.streamers import BaseStreamer

from sae_core.errors import UserError
from sae_core.lmm.adapter import Adapter, Inputs
from sae_core.lmm.processor import ids_of


def first_token(adapter: Adapter, word: str) -> int:
    """The token that a reply of this word begins with."""
    tokenizer = adapter.processor.tokenizer
    ids = ids_of(adapter.processor, word)
    if not ids or ids[0] == tokenizer.unk_token_id:
        raise UserError(
            f"The {adapter.name} model's tokenizer has no token for {word!r}. "
            "Choose a word that the model can say"
        )
    return ids[0]


def repeated(inputs: Inputs, rows: int) -> Inputs:
    """A batch of one prompt many times."""
    if len(inputs.layouts) != 1:
        raise ValueError(f"one prompt can be repeated, not {len(inputs.layouts)}")
    tensors = {
        # Whatever a prompt's rows are, of tiles or of patches, prompts lie one after another.
        name: tensor.repeat(rows, *[1] * (tensor.ndim - 1))
        for name, tensor in inputs.tensors.items()
    }
    return Inputs(tensors, inputs.layouts * rows, inputs.replies * rows)


def continued(tensors: dict[str, Tensor], reply_BS: Tensor) -> dict[str, Tensor]:
    """The same batch with tokens after it."""
    ones = torch.ones_like(reply_BS)
    if "decoder_input_ids" in tensors:
        ids_BT = torch.cat([tensors["decoder_input_ids"], reply_BS], 1)
        return {**tensors, "decoder_input_ids": ids_BT}
    added = {
        "input_ids": reply_BS,
        "attention_mask": ones,
        "token_type_ids": 0 * ones,
        "mm_token_type_ids": 0 * ones,
    }
    longer = {
        name: torch.cat([tensors[name], more.to(tensors[name])], 1)
        for name, more in added.items()
        if name in tensors
    }
    return {**tensors, **longer}


def logits_at(adapter: Adapter, tensors: dict[str, Tensor], positions: Tensor) -> Tensor:
    """The logits at some positions, without those of the others where the model can [B, S, V]."""
    positions = positions.to(adapter.model.device)
    if "logits_to_keep" in inspect.signature(adapter.model.forward).parameters:
        out = adapter.model(**tensors, use_cache=False, logits_to_keep=positions)
        return out.logits
    return adapter.model(**tensors, use_cache=False).logits[:, positions]


def reply_logits(adapter: Adapter, tensors: dict[str, Tensor], reply_BS: Tensor) -> Tensor:
    """For each token of a reply the logits of it and its rivals [B, S, V]."""
    length = reply_BS.shape[1]
    longer = continued(tensors, reply_BS[:, :-1])
    return logits_at(adapter, longer, torch.arange(-length, 0)).float()


Heard = Callable[[list[Tensor]], None]
"""Is told all replies of a batch as far as they are, after each token; what it raises ends them."""


class _Telling(BaseStreamer):
    """Collects the tokens of all rows as they come."""

    def __init__(self, heard: Heard, ends: Tensor) -> None:
        self._heard, self._ends = heard, ends
        self._said: list[Tensor] | None = None

    def put(self, value: Tensor) -> None:
        """The next token of each row [B]; what comes first is the prompt, and no news."""
        if self._said is None:
            self._said = []
            return
        self._said.append(value.cpu())
        reply_BS = torch.stack(self._said, 1)
        self._heard([_up_to(row, torch.isin(row, self._ends)) for row in reply_BS])

    def end(self) -> None:
        """Nothing is held back that would have to be told now."""


def generated(
    adapter: Adapter, tensors: dict[str, Tensor], tokens: int, heard: Heard | None = None
) -> list[Tensor]:
    """Greedy replies, each up to and with its end."""
    model: Any = adapter.model  # transformers types generate() as if it could be a tensor
    image = model.config.image_token_id
    ends = torch.tensor(_ends(model.generation_config.eos_token_id), dtype=torch.long)
    out_BT = model.generate(
        **tensors,
        max_new_tokens=tokens,
        do_sample=False,
        # A reply with the token of a picture could not be read again without one.
        suppress_tokens=None if image is None else [image],
        streamer=None if heard is None else _Telling(heard, ends),
    )
    asked_BT = tensors.get("decoder_input_ids", tensors["input_ids"])
    length = asked_BT.shape[1]
    if out_BT.shape[1] >= length and bool((out_BT[:, :length] == asked_BT).all()):
        out_BT = out_BT[:, length:]
    ends = ends.to(out_BT.device)
    return [_up_to(row, torch.isin(row, ends)) for row in out_BT]


def _ends(ids: int | list[int] | None) -> list[int]:
    if ids is None:
        return []
    return [ids] if isinstance(ids, int) else list(ids)


def _up_to(row: Tensor, ends: Tensor) -> Tensor:
    return row[: int(ends.nonzero()[0, 0]) + 1] if bool(ends.any()) else row
