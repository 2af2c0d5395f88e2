"""InstructBLIP: a Q-Former asks the picture with a few queries, which have no place in it.

Each query's box is the whole picture, and the base grid is one row of queries. With T5 the blocks
are the encoder's, since only they read the picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from sae_core.errors import UserError
from sae_core.lmm.adapter import Inputs, Prompt
from sae_core.lmm.anyres import Size
from sae_core.lmm.common import CommonAdapter, Regions
from sae_core.lmm.layout import BASE, Region


class InstructBlip(CommonAdapter):
    """Salesforce/instructblip-vicuna-7b, instructblip-flan-t5-xl and their like."""

    name = "instructblip"

    def layers(self) -> Sequence[nn.Module]:
        """The language model's blocks."""
        if self._decodes_only():
            return super().layers()
        return self.model.get_encoder().block

    def _decodes_only(self) -> bool:
        return self.model.config.use_decoder_only_language_model

    def prepare(self, prompts: Sequence[Prompt], *, replies: Sequence[str] | None = None) -> Inputs:
        """A batch of prompts, each up to where the model replies, or with its reply."""
        if self._decodes_only():
            return super().prepare(prompts, replies=replies)
        if replies:
            raise UserError(
                "This InstructBLIP writes replies with a decoder of its own, whose positions no "
                "block at a hook point sees. Ask without replies, or use one with Llama"
            )
        inputs = super().prepare(prompts)
        start = self.model.config.text_config.decoder_start_token_id
        first = torch.full((len(prompts), 1), start, device=self.model.device)
        inputs.tensors["decoder_input_ids"] = first
        return inputs

    def check(self, prompt: Prompt) -> None:
        """Refuse all but one picture, besides what all adapters refuse."""
        super().check(prompt)
        if len(prompt.pictures) != 1:
            raise UserError(
                f"A prompt with {len(prompt.pictures)} pictures: {self.name} takes exactly one. "
                "Ask about each picture apart"
            )

    def encoded(self, prompts: Sequence[Prompt]) -> dict[str, Tensor]:
        """What the processor makes of the prompts; the Q-Former's own text padded on the right."""
        made = super().encoded(prompts)
        # It counts positions from the first token, so padding before a text would change it.
        order = (1 - made["qformer_attention_mask"]).argsort(dim=1, stable=True)
        for name in ("qformer_input_ids", "qformer_attention_mask"):
            made[name] = made[name].gather(1, order)
        return made

    def text_of(self, prompt: Prompt) -> str:
        """The text alone: the processor puts the queries before it."""
        return prompt.text

    def regions(self, sizes: Sequence[Sequence[Size]], encoded: Mapping[str, Tensor]) -> Regions:
        """The one picture of each prompt."""
        del encoded  # the number of queries is the model's
        return [[self._region(size) for size in row] for row in sizes]

    def _region(self, size: Size) -> Region:
        queries = self.model.config.num_query_tokens
        box_P4 = torch.tensor([[0, 0, size.width, size.height]]).repeat(queries, 1)
        return Region(torch.full((queries,), BASE), box_P4, (1, queries))
