"""The shipped sparse coder: what it explains, its index, and the truth that is kept apart."""

from pathlib import Path

import numpy as np
import pytest
import torch

import toybox
from sae_core.attribution.exact import agreement
from sae_core.attribution.linear import ask, attribute
from sae_core.index.harvest import Numbered
from sae_core.index.query import Index
from sae_core.lmm.adapter import Prompt
from sae_core.training.activations import tokens_of
from sae_core.training.evaluation import evaluate, loss_recovered
from toybox.conversations import ToyboxConversations, ToyboxPictures
from toybox.models import WEIGHTS
from toybox.train_sae import HOOK, INDEXED, MATCHED, TRUTH, observer
from toybox.truth import auroc, depicted, read_truth
from toybox.vocabulary import CONCEPTS
from toybox.world_draw import draw_scene
from toybox.world_splits import fresh_scene

ROOT = Path(toybox.__file__).parents[1]
TALKS = 64
MARGIN = 0.1
"""How much a small sample may miss a bar by, of what it leaves open."""


@pytest.fixture(scope="module")
def seeing():
    return observer(WEIGHTS / "sae")


@pytest.fixture(scope="module")
def talks():
    all_ = ToyboxConversations("validate", MATCHED + TALKS)
    return [all_[number] for number in range(MATCHED, MATCHED + TALKS)]


def test_it_explains_the_middle_layer_with_few_features(seeing, talks):
    with torch.inference_mode():
        found = evaluate(seeing.coder, [tokens_of(seeing.adapter, talks, HOOK, "all")])
    assert found.l0 <= 32
    assert found.fvu <= 0.15 * (1 + MARGIN)


def test_the_target_hardly_notices_its_reconstructions(seeing, talks):
    found = loss_recovered(seeing.adapter, seeing.coder, HOOK, talks)
    assert found.zeroed > found.clean
    assert found.recovered >= 0.95 - MARGIN * 0.95


def test_its_index_is_of_this_coder_and_large_enough(seeing):
    folder = WEIGHTS / "sae/index"
    index = Index.open(folder, coder=seeing.digest, model=seeing.model, hook=seeing.hook)
    assert index.spec.size == INDEXED >= 4000
    assert index.spec.pictures == ToyboxPictures("explore", INDEXED).digest


def test_the_truth_knows_enough_concepts_and_is_of_this_coder(seeing):
    truth = read_truth(TRUTH)
    assert truth.coder == seeing.digest
    assert len(truth.found()) >= 60


def test_what_the_truth_says_holds_on_other_pictures(seeing):
    truth, numbers = read_truth(TRUTH), range(2000, 2096)
    pictures = ToyboxPictures("validate", 2096)
    told = truth.found()[::6]
    features = torch.tensor([truth.concepts[name].feature for name in told])
    peaks, present = [], []
    for at in range(0, len(numbers), 32):
        some = [(n, pictures.picture(n)) for n in numbers[at : at + 32]]
        seen = seeing.observe([Numbered(*one) for one in some])
        peaks.append(seen.code.of(features).amax(1))
        present.append(torch.from_numpy(depicted("validate", [n for n, _ in some]).present_NC))
    names = [f"{concept.group}:{concept.word}" for concept in CONCEPTS]
    present_NC = torch.cat(present)[:, [names.index(name) for name in told]]
    seen_C = present_NC.any(0) & ~present_NC.all(0)
    scores = auroc(torch.cat(peaks), present_NC).diagonal()[seen_C]
    assert float(scores.mean()) > 0.85


def test_linear_scores_foretell_what_switching_features_off_does(seeing):
    found = []
    for seed in range(6):
        scene = fresh_scene(seed, 0, "balanced")
        asked = Prompt((draw_scene(scene).image(),), f"is there a {scene.shown[0].kind}?")
        inputs = seeing.adapter.prepare([asked])
        question = ask(seeing.adapter, seeing.coder, HOOK, inputs, "yes", "no")
        found.append(agreement(question, attribute(question), count=24).spearman)
    assert float(np.mean(found)) > 0.7


def test_nothing_that_an_agent_uses_names_the_truth():
    read = [
        file
        for package in ("agent", "tools", "review", "lmmscope", "prompts", "sae_core")
        for file in (ROOT / package).rglob("*.py")
    ]
    assert len(read) > 50
    assert [f for f in read if TRUTH.name in f.read_text() or "toybox.truth" in f.read_text()] == []
