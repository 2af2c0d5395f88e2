"""Loads a model's processor, with or without torchvision; and a text as its tokens.

Some processors have a part for videos, and transformers can't make that part without torchvision.
We show pictures only, so where torchvision is not installed the part is left out.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from transformers import AutoImageProcessor, AutoProcessor, AutoTokenizer, ProcessorMixin
from transformers.models.auto.processing_auto import processor_class_from_name

VIDEOS = "video_processor"


class _NoVideos:
    """Of a processor: does without the part for videos."""

    def check_argument_for_proper_class(self, name: str, given: Any) -> Any:
        """Everything else has to be what it was."""
        if name == VIDEOS and given is None:
            return None
        return super().check_argument_for_proper_class(name, given)  # ty: ignore[missing-attribute]


def load_processor(folder: Path) -> ProcessorMixin:
    """The processor in a folder, or of a hub's name."""
    known = _known(folder)
    if known is None or VIDEOS not in known.get_attributes() or find_spec("torchvision"):
        return AutoProcessor.from_pretrained(folder)
    lean = type(known.__name__, (_NoVideos, known), {})
    parts = [AutoImageProcessor.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)]
    about, _ = known.get_processor_dict(folder)
    return lean.from_args_and_dict([*parts, None], about)


def ids_of(processor: Any, text: str) -> list[int]:
    """A text's own tokens.

    Padding is asked for though there is none to be made: it is a state of the tokenizer, and a
    batch that another thread is just padding would be left ragged.
    """
    return processor.tokenizer(text, add_special_tokens=False, padding=True).input_ids


def _known(folder: Path) -> type[ProcessorMixin] | None:
    """The class that a folder names for its processor."""
    about, _ = ProcessorMixin.get_processor_dict(folder)
    name = about.get("processor_class")
    if name is None:
        from transformers.models.auto.image_processing_auto import get_image_processor_config

        name = get_image_processor_config(folder).get("processor_class")
    return processor_class_from_name(name) if name else None
