"""What follows a hook, run again: the same logits as the whole model's under the same hook."""

from functools import cache
from typing import NamedTuple

import pytest
import torch

from sae_core.lmm.adapter import Inputs, Prompt, adapter_for
from sae_core.lmm.hooks import rewritten
from sae_core.steering.logits import reply_logits
from sae_core.steering.rest import Rest
from tests.sae_core.small_models import BUILDERS, noise

HOOK = "layers.0"
REPLY = torch.tensor([[12, 13], [14, 15]])


class Read(NamedTuple):
    """A batch of two prompts of different lengths, so that one of them is padded."""

    inputs: Inputs
    rest: Rest


@cache
def read(name):
    adapter = adapter_for(*BUILDERS[name]())
    prompts = [Prompt((noise(24, 24, 1),), "what is this"), Prompt((noise(24, 24, 2),), "what")]
    inputs = adapter.prepare(prompts)
    return Read(inputs, Rest(adapter, inputs, HOOK, REPLY))


def whole(name, change):
    inputs, rest = read(name)
    with torch.no_grad(), rewritten(rest.block, change):
        return reply_logits(rest.adapter, inputs.tensors, REPLY)


def shifted(start):
    """Adds something that depends on position and channel, from a position on."""

    def change(x_BTD):
        changed_BTD = x_BTD.clone()
        tail_BTD = changed_BTD[:, start:]
        tail_BTD += torch.linspace(-2, 2, tail_BTD[0].numel()).view(tail_BTD.shape[1:])
        return changed_BTD

    return change


@pytest.mark.parametrize("start", [0, -5, -1])
@pytest.mark.parametrize("name", BUILDERS)
def test_a_change_anywhere_gives_the_logits_of_the_whole_model(name, start):
    rest = read(name).rest
    found = rest.logits(shifted(start))
    torch.testing.assert_close(found, whole(name, shifted(start)), rtol=1e-4, atol=1e-4)
    assert (found - rest.unchanged_BSV).abs().max() > 1e-2


def test_a_change_may_follow_another_and_leaves_nothing_behind():
    rest = read("llava-next").rest
    first = rest.logits(shifted(-3))
    rest.logits(shifted(0))
    assert torch.equal(rest.logits(shifted(-3)), first)
    assert torch.equal(rest.logits(lambda x_BTD: x_BTD), rest.unchanged_BSV)


def test_blocks_before_the_hook_do_not_run_again():
    rest = read("llava-next").rest
    assert rest.quick
    ran = []
    handle = rest.block.register_forward_hook(lambda *_: ran.append(1))
    try:
        rest.logits(shifted(-3))
    finally:
        handle.remove()
    assert ran == []


def test_a_model_that_ends_otherwise_is_run_as_a_whole():
    assert not read("instructblip-t5").rest.quick
