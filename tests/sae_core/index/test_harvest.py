"""Harvesting for the index: base positions in order, whatever else the prompt holds."""

import pytest
import torch

from sae_core.coders.coder import CoderConfig, SparseCoder
from sae_core.errors import UserError
from sae_core.index.harvest import Numbered, observe
from sae_core.lmm.adapter import Prompt, adapter_for
from sae_core.lmm.hooks import harvest
from tests.sae_core.small_models import BUILDERS, WIDTH, noise

HOOK = "layers.1"


@pytest.fixture(scope="module")
def adapter():
    return adapter_for(*BUILDERS["llava-next"]())


@pytest.fixture(scope="module")
def coder():
    torch.manual_seed(0)
    return SparseCoder(CoderConfig(width=WIDTH, features=40, k=3)).eval()


def test_pictures_of_odd_shapes_in_one_batch_are_coded_as_if_alone(adapter, coder):
    pictures = [Numbered(5, noise(50, 30)), Numbered(9, noise(20, 90, 1))]
    seen = observe(adapter, coder, HOOK, pictures)
    assert seen.picture_B.tolist() == [5, 9]
    assert seen.grid == (6, 6)
    for row, shown in enumerate(pictures):
        inputs = adapter.prepare([Prompt((shown.picture,), "")])
        x_PD = harvest(adapter, inputs, HOOK)[0, inputs.layouts[0].base()]
        wanted = coder.encode(x_PD).dense(40)
        found = type(seen.code)(*(part[row] for part in seen.code)).dense(40)
        torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(seen.embedding_BE[row], x_PD.mean(0), atol=1e-4, rtol=1e-4)


def test_pictures_with_different_grids_are_refused(coder):
    adapter = adapter_for(*BUILDERS["qwen2.5-vl"]())
    with pytest.raises(UserError, match=r"Picture 4 has a base grid of .* picture 3 one of"):
        observe(adapter, coder, HOOK, [Numbered(3, noise(64, 64)), Numbered(4, noise(96, 32))])


def test_observing_keeps_no_graph(adapter, coder):
    seen = observe(adapter, coder, HOOK, [Numbered(0, noise(24, 24))])
    assert not any(part.requires_grad for part in (*seen.code, seen.embedding_BE))
