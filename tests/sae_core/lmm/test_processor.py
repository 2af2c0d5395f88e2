"""Processors come back from folders whole, the part for videos left out where it can't be made."""

import json
from importlib.util import find_spec

import pytest
import torch
from transformers import AutoModelForImageTextToText

from sae_core.lmm.adapter import Prompt, adapter_for
from sae_core.lmm.processor import load_processor
from sae_core.steering.logits import first_token
from tests.sae_core.small_models import BUILDERS, noise


@pytest.mark.parametrize("name", ["llava-next", "instructblip"])
def test_a_processor_without_videos_comes_back_as_it_was(tmp_path, name):
    model, processor = BUILDERS[name]()
    processor.save_pretrained(tmp_path)
    same_inputs(model, processor, load_processor(tmp_path))


def test_a_words_tokens_leave_padding_on_for_who_is_just_padding_a_batch():
    """The tokenizer is every thread's: a batch that loses its padding midway can't be made."""
    adapter = adapter_for(*BUILDERS["llava-next"]())
    adapter.prepare([Prompt((), "what is"), Prompt((), "what")])
    padding = adapter.processor.tokenizer.backend_tokenizer.padding
    adapter.prepare([Prompt((), "what is"), Prompt((), "what")], replies=["yes", "no"])
    first_token(adapter, "yes")
    assert padding is not None
    assert adapter.processor.tokenizer.backend_tokenizer.padding == padding


@pytest.mark.skipif(find_spec("torchvision") is not None, reason="torchvision makes all parts")
def test_qwens_processor_comes_back_without_its_part_for_videos(tmp_path):
    model, processor = BUILDERS["qwen2.5-vl"]()
    # Part by part, since a processor that lacks one can't save itself.
    processor.image_processor.save_pretrained(tmp_path)
    config = tmp_path / "preprocessor_config.json"
    published = {
        "image_processor_type": "Qwen2VLImageProcessor",
        "processor_class": "Qwen2_5_VLProcessor",
    }
    config.write_text(json.dumps(json.loads(config.read_text()) | published))
    processor.tokenizer.save_pretrained(tmp_path)
    (tmp_path / "chat_template.jinja").write_text(processor.chat_template)
    model.save_pretrained(tmp_path)
    again = AutoModelForImageTextToText.from_pretrained(tmp_path)
    same_inputs(again, processor, load_processor(tmp_path))


def same_inputs(model, processor, loaded):
    prompt = Prompt((noise(40, 30),), "what is this")
    was, now = (adapter_for(model, one).prepare([prompt]) for one in (processor, loaded))
    assert was.tensors.keys() == now.tensors.keys()
    for name, tensor in was.tensors.items():
        assert torch.equal(tensor, now.tensors[name]), name
