"""What is needed of a large multimodal model (LMM) to look inside it, whatever its class.

Knows the protocol and which adapter fits which class of transformers; the adapters know the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from PIL import Image
from torch import Tensor, nn
from transformers import PreTrainedModel, ProcessorMixin

from sae_core.errors import UserError
from sae_core.lmm.layout import Layout


class Prompt(NamedTuple):
    """One user turn: pictures first, then text."""

    pictures: tuple[Image.Image, ...]
    text: str
    """May be empty: the paper shows the picture alone."""


class Inputs(NamedTuple):
    """A batch as the model takes it, left-padded, and what its positions stand for."""

    tensors: dict[str, Tensor]
    """What `model(**tensors)` takes, on the model's device."""
    layouts: tuple[Layout, ...]
    """One for each row, on the CPU."""
    replies: tuple[slice, ...] = ()
    """For each row the positions of its reply; empty where it has none."""


class Adapter(Protocol):
    """An LMM whose blocks can be found, and whose positions can be explained."""

    model: PreTrainedModel
    processor: ProcessorMixin
    name: str
    """The class of model, for example llava-next."""

    def layers(self) -> Sequence[nn.Module]:
        """The language model's blocks."""
        ...

    def width(self) -> int:
        """How wide the blocks' outputs are."""
        ...

    def prepare(self, prompts: Sequence[Prompt], *, replies: Sequence[str] | None = None) -> Inputs:
        """A batch of prompts, each up to where the model replies, or with its reply."""
        ...

    def block(self, hook: str) -> nn.Module:
        """The block of a hook point, for example layers.3."""
        ...


def adapter_for(model: PreTrainedModel, processor: ProcessorMixin) -> Adapter:
    """The adapter of the model's class."""
    # The adapters are built from the types above.
    from sae_core.lmm.instructblip import InstructBlip
    from sae_core.lmm.llava_next import LlavaNext
    from sae_core.lmm.llava_onevision import LlavaOnevision
    from sae_core.lmm.qwen import Qwen

    adapters = {
        "LlavaNextForConditionalGeneration": LlavaNext,
        "LlavaOnevisionForConditionalGeneration": LlavaOnevision,
        "Qwen2_5_VLForConditionalGeneration": Qwen,
        "InstructBlipForConditionalGeneration": InstructBlip,
    }
    for ancestor in type(model).__mro__:
        if ancestor.__name__ in adapters:
            return adapters[ancestor.__name__](model, processor)
    raise UserError(
        f"No adapter for the model class {type(model).__name__}. Known: {', '.join(adapters)}. "
        "Choose a target of one of these"
    )
