"""The model of random weights is as large as the published one, and every stage runs on it."""

import json
import sys

import pytest
import torch
from PIL import Image

from benchmarks import random_llava, true_shapes
from benchmarks.random_llava import Size
from benchmarks.true_shapes import sizes
from lmmscope.settings import load_settings
from sae_core.coders.coder import CoderConfig
from sae_core.errors import UserError
from sae_core.lmm.adapter import Prompt
from sae_core.lmm.layout import TEXT

EDGE = 28


@pytest.fixture
def few_cells(monkeypatch):
    """Tiles of 2 x 2 cells, and a model for them that is as deep as the hook wants."""
    points = [[row * EDGE, column * EDGE] for row, column in ((1, 2), (2, 1), (2, 2))]
    monkeypatch.setattr(random_llava, "EDGE", EDGE)
    monkeypatch.setattr(random_llava, "POINTS", points)
    monkeypatch.setattr(random_llava, "VOCABULARY", 256)
    small = Size(width=128, inner=32, layers=26, eye=64, eye_layers=2)
    coder = CoderConfig(width=128, features=32, k=4, hook="layers.24")
    monkeypatch.setattr(true_shapes, "sizes", lambda *_: (small, coder))
    monkeypatch.setattr(true_shapes, "ROWS", 64)


def test_the_true_shapes_have_as_many_numbers_as_is_published():
    settings = load_settings(true_shapes.PROFILE)
    size, coder = sizes(settings, 1)
    made = random_llava.random_llava(size, "meta", torch.bfloat16)
    numbers = sum(p.numel() for p in made.model.parameters())
    assert numbers == pytest.approx(settings.published.models["target"].parameters, rel=0.001)
    assert len(made.layers()) == settings.published.models["target"].layers
    assert (made.width(), coder.features, coder.k) == (4096, 131_072, 256)
    assert {p.dtype for p in made.model.parameters()} == {torch.bfloat16}
    assert torch.get_default_dtype() == torch.float32


def test_a_square_picture_takes_as_many_positions_as_is_published():
    settings = load_settings(true_shapes.PROFILE)
    small = Size(width=128, inner=32, layers=1, eye=64, eye_layers=1)
    made = random_llava.random_llava(small, "cpu", torch.float32)
    square = Image.new("RGB", (640, 640))
    (layout,) = made.prepare([Prompt((square,), "")]).layouts
    words = int((layout.kind_T == TEXT).sum())
    assert len(layout.kind_T) - words == settings.published.models["target"].tokens


@pytest.mark.usefixtures("few_cells")
def test_every_stage_is_measured(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["true_shapes", "--pictures", "3", "--json"])
    true_shapes.main()
    told = json.loads(capsys.readouterr().out)
    stages = {(one["name"], one["unit"]): one for one in told["stages"]}
    assert len(stages) == len(told["stages"]) == 8
    assert all(one["seconds"] > 0 and one["megabytes"] > 0 for one in stages.values())
    assert stages["harvest", "pictures"]["amount"] == 3
    assert stages["index, from pictures to disk", "pictures"]["amount"] == 3
    assert stages["training the coder", "rows"]["amount"] == 64 * true_shapes.STEPS
    assert f"torch {torch.__version__}" in told["where"]


def test_a_scale_that_divides_no_heads_is_refused():
    with pytest.raises(UserError, match="--scale 3: one of 1, 2, 4, 8, 16"):
        sizes(load_settings(true_shapes.PROFILE), 3)
