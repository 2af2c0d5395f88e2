"""Hooks on blocks of every class: what is read and rewritten, and that nothing stays behind."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
import torch
from torch import nn

from sae_core.errors import UserError
from sae_core.lmm.adapter import Prompt, adapter_for
from sae_core.lmm.hooks import harvest, rewritten
from tests.sae_core.small_models import BUILDERS, DEPTH, noise

HOOK = "layers.1"


@pytest.fixture(scope="module", params=BUILDERS)
def adapter(request):
    return adapter_for(*BUILDERS[request.param]())


@pytest.fixture(scope="module")
def inputs(adapter):
    prompts = [Prompt((noise(50, 30),), ""), Prompt((noise(20, 90, 1),), "what is this")]
    return adapter.prepare(prompts)


@pytest.fixture
def block(adapter):
    return adapter.block(HOOK)


def _hidden_states(adapter, inputs):
    with torch.no_grad():
        out = adapter.model(**inputs.tensors, output_hidden_states=True)
    out = out.get("language_model_outputs", out)
    return out.get("encoder_hidden_states") or out.hidden_states


def _hooks(model: nn.Module) -> int:
    return sum(len(module._forward_hooks) for module in model.modules())


def test_harvest_equals_the_hidden_state_of_the_full_pass(adapter, inputs):
    wanted = _hidden_states(adapter, inputs)[2]
    assert torch.allclose(harvest(adapter, inputs, HOOK), wanted, rtol=0, atol=1e-6)


def test_blocks_after_the_hooked_one_do_not_run(adapter, inputs):
    ran = []
    handles = [
        layer.register_forward_pre_hook(lambda *_, n=n: ran.append(n))
        for n, layer in enumerate(adapter.layers())
    ]
    harvest(adapter, inputs, HOOK)
    for handle in handles:
        handle.remove()
    assert ran == [0, 1]


def test_harvest_leaves_no_hook_behind(adapter, inputs):
    before = _hooks(adapter.model)
    harvest(adapter, inputs, HOOK)
    assert _hooks(adapter.model) == before


def test_a_failing_pass_leaves_no_hook_behind(adapter, inputs):
    before = _hooks(adapter.model)
    wrong = inputs._replace(tensors=inputs.tensors | {"pixel_values": torch.zeros(1)})
    with pytest.raises((ValueError, RuntimeError, IndexError)):
        harvest(adapter, wrong, HOOK)
    assert _hooks(adapter.model) == before


def test_harvest_keeps_no_graph_unless_asked(adapter, inputs):
    assert not harvest(adapter, inputs, HOOK).requires_grad
    assert harvest(adapter, inputs, HOOK, grad=True).requires_grad


def test_activations_that_are_not_finite_are_refused_by_the_hooks_name(adapter, inputs, block):
    with (
        rewritten(block, lambda x_BTD: x_BTD / 0),
        pytest.raises(UserError, match=r"infinite activations at layers\.1 in (\d+) of \1"),
    ):
        harvest(adapter, inputs, HOOK)


def test_the_next_block_reads_what_was_rewritten(adapter, inputs, block):
    read = []
    following = adapter.block("layers.2").register_forward_pre_hook(
        lambda _block, args: read.append(args[0])
    )
    with rewritten(block, torch.zeros_like), torch.no_grad():
        adapter.model(**inputs.tensors)
    following.remove()
    assert not read[0].any()


def test_the_inner_of_two_rewrites_sees_what_the_outer_made(adapter, inputs, block):
    with rewritten(block, torch.zeros_like), rewritten(block, lambda x_BTD: x_BTD + 3):
        assert (harvest(adapter, inputs, HOOK) == 3).all()


def test_rewriting_ends_with_its_block_of_code(adapter, inputs, block):
    before = harvest(adapter, inputs, HOOK)
    with pytest.raises(KeyError), rewritten(block, torch.zeros_like):
        raise KeyError
    assert torch.equal(harvest(adapter, inputs, HOOK), before)


def test_generation_with_a_cache_says_what_it_says_without(adapter, inputs, block):
    torch.manual_seed(0)
    push_D = torch.randn(adapter.width()) * 30
    said = []
    for cache in (True, False):
        with rewritten(block, lambda x_BTD: x_BTD + push_D):
            out = adapter.model.generate(
                **inputs.tensors, max_new_tokens=4, do_sample=False, use_cache=cache
            )
        said.append(out.tolist())
    assert said[0] == said[1]


def test_each_generated_token_passes_a_rewrite_once():
    adapter = adapter_for(*BUILDERS["llava-next"]())
    inputs = adapter.prepare([Prompt((noise(30, 30),), "")])
    lengths = []

    def look(x_BTD):
        lengths.append(x_BTD.shape[1])
        return x_BTD

    with rewritten(adapter.block(HOOK), look):
        adapter.model.generate(
            **inputs.tensors, max_new_tokens=3, do_sample=False, eos_token_id=None
        )
    assert lengths == [inputs.tensors["input_ids"].shape[1], 1, 1]


def test_a_thread_sees_its_own_activations_while_another_rewrites_them():
    adapter = adapter_for(*BUILDERS["llava-next"]())
    rewriting, seen = Event(), Event()
    one, other = (adapter.prepare([Prompt((noise(20, 20, n),), "")]) for n in (1, 2))
    alone = harvest(adapter, other, HOOK)

    def change(x_BTD):
        rewriting.set()
        assert seen.wait(60)
        return torch.zeros_like(x_BTD)

    def rewrite():
        with torch.no_grad(), rewritten(adapter.block(HOOK), change):
            return harvest(adapter, one, HOOK)

    with ThreadPoolExecutor(1) as pool:
        changed = pool.submit(rewrite)
        try:
            assert rewriting.wait(60)
            # The other thread's hook hangs there, in front of the one that this thread adds.
            torch.testing.assert_close(harvest(adapter, other, HOOK), alone)
        finally:
            seen.set()
        assert not changed.result().any(), "and its own pass was rewritten"


@pytest.mark.parametrize("hook", ["layers.3", "layers.-1", "layers", "model.layers.1", ""])
def test_a_hook_point_that_does_not_exist_is_refused_with_those_that_do(adapter, hook):
    wanted = rf"No hook point '{hook}' in this .* it has layers\.0 to layers\.{DEPTH - 1}\."
    with pytest.raises(UserError, match=wanted):
        adapter.block(hook)
