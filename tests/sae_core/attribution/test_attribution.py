"""Attribution: scores against dense gradients and real ablation, their parts, and their maps."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from sae_core.attribution.exact import ablated, agreement, spearman
from sae_core.attribution.linear import ask, attribute
from sae_core.attribution.map import painted
from sae_core.coders.coder import CoderConfig, SparseCoder
from sae_core.errors import UserError
from sae_core.lmm.adapter import Prompt, adapter_for
from sae_core.lmm.hooks import harvest, rewritten
from sae_core.lmm.layout import BASE, TILE
from tests.sae_core.small_models import BUILDERS, WIDTH, llava_next, noise

HOOK = "layers.1"
SIZE = (40, 30)
FEATURES = 40
RULES = {
    "topk": {"k": 6},
    "jumprelu": {"rule": "jumprelu"},
    "normalised": {"k": 6, "normalised": True},
    "scaled": {"k": 6, "scale": 3.0},
}


def coder_of(rule="topk", width=WIDTH, seed=0):
    torch.manual_seed(seed)
    coder = SparseCoder(CoderConfig(width=width, features=FEATURES, **RULES[rule]))
    with torch.no_grad():
        coder.b_dec.normal_(std=0.01)
        coder.b_enc.uniform_(0, 0.01)
    return coder.eval()


def question_of(adapter, rule="topk", hook=HOOK, **more):
    inputs = adapter.prepare([Prompt((noise(*SIZE),), "what is this")])
    return ask(adapter, coder_of(rule), hook, inputs, "yes", "no", **more)


@pytest.fixture(scope="module")
def llava():
    return adapter_for(*llava_next())


@pytest.fixture(scope="module")
def linear():
    """A model in which nothing but linear maps follows the hook at its last layer."""
    adapter = adapter_for(*llava_next())
    adapter.model.get_decoder().norm = nn.Identity()
    return adapter


@pytest.fixture(scope="module")
def question(llava):
    return question_of(llava)


@pytest.fixture(scope="module")
def attribution(question):
    return attribute(question)


def dense_scores(question):
    """Every feature's value times the gradient with respect to it, with all of them written out."""
    coder, inputs = question.coder, question.inputs
    x_TD = harvest(question.adapter, inputs, question.hook)[0]
    with torch.no_grad():
        norms = coder.prepared(x_TD)[1]
        z_TF = coder.encode(x_TD).dense(FEATURES)
    z_TF.requires_grad_()
    made_TD = z_TF @ coder.W_dec / coder.config.scale
    made_TD = made_TD * norms.deviation_N1 if norms else made_TD
    written = (x_TD + made_TD - made_TD.detach())[None]
    with rewritten(question.adapter.block(question.hook), lambda _: written):
        (d,) = question.differences(inputs)
    (grad_TF,) = torch.autograd.grad(d, [z_TF])
    return (z_TF * grad_TF).detach()


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("position", [-1, -3])
def test_scores_are_those_of_the_dense_gradient(llava, rule, position):
    question = question_of(llava, rule, position=position)
    wanted_TF = dense_scores(question)
    found = attribute(question)
    scores_TF = torch.zeros_like(wanted_TF).scatter_add(1, found.code.indices_NK, found.scores_TK)
    assert float(wanted_TF.abs().max()) > 0
    torch.testing.assert_close(scores_TF, wanted_TF, atol=1e-6, rtol=1e-3)


@pytest.mark.parametrize("name", BUILDERS)
def test_every_class_of_model_can_be_asked(name):
    question = question_of(adapter_for(*BUILDERS[name]()))
    with torch.no_grad():
        (difference,) = question.differences(question.inputs)
    assert attribute(question).difference == pytest.approx(float(difference), abs=1e-5)


def test_image_and_text_scores_sum_to_all(attribution):
    parts = attribution.totals("image") + attribution.totals("text")
    torch.testing.assert_close(parts, attribution.totals())


def test_linear_scores_equal_exact_effects_where_all_that_follows_is_linear(linear):
    question = question_of(linear, hook="layers.2")
    totals = attribute(question).totals()
    exact = ablated(question, range(FEATURES), batch=7)
    assert float(exact.abs().max()) > 1e-3
    torch.testing.assert_close(totals, exact, atol=1e-5, rtol=1e-3)


def test_rank_correlation_is_perfect_where_all_that_follows_is_linear(linear):
    question = question_of(linear, hook="layers.2")
    checked = agreement(question, attribute(question), count=5)
    assert checked.spearman == pytest.approx(1)


def test_exact_effects_do_not_depend_on_the_batch(question):
    one, many = (ablated(question, range(9), batch=batch) for batch in (1, 9))
    torch.testing.assert_close(one, many, atol=1e-5, rtol=1e-4)


def test_only_the_asked_part_is_switched_off(question):
    exact = [ablated(question, range(FEATURES), where=where) for where in ("all", "text")]
    assert not torch.allclose(*exact, atol=1e-5)


def test_integrated_scores_sum_to_what_all_features_together_do(question):
    found = attribute(question, steps=24)
    x_TD = harvest(question.adapter, question.inputs, HOOK)[0]
    with torch.no_grad():
        explained_TD = question.coder(x_TD) - question.coder.b_dec
        with rewritten(question.adapter.block(HOOK), lambda x: x - explained_TD):
            (off,) = question.differences(question.inputs)
    assert float(found.scores_TK.sum()) == pytest.approx(found.difference - float(off), rel=0.02)


def test_nothing_before_the_hook_keeps_a_graph(question):
    seen = []
    block = question.adapter.block("layers.0")
    handle = block.register_forward_hook(lambda *call: seen.append(call[2].requires_grad))
    attribute(question)
    handle.remove()
    assert seen == [False]


def test_gradients_are_off_again_afterwards(question):
    with torch.no_grad():
        attribute(question)
        assert not torch.is_grad_enabled()


def test_the_models_own_gradients_are_left_alone(question):
    attribute(question)
    assert all(weight.grad is None for weight in question.adapter.model.parameters())


def test_top_features_speak_most_for_the_answer_first(attribution):
    scores = [cause.score for cause in attribution.top(10)]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == pytest.approx(float(attribution.totals().max()))


def test_features_against_the_answer_come_worst_first(attribution):
    scores = [cause.score for cause in attribution.top(10, against=True)]
    assert scores == sorted(scores)
    assert scores[0] == pytest.approx(float(attribution.totals().min()))


def test_very_common_features_are_skipped(attribution):
    best, second = (cause.feature for cause in attribution.top(2))
    rates = np.zeros(FEATURES)
    rates[best] = 0.5
    assert attribution.top(1, rates_F=rates)[0].feature == second


@pytest.mark.parametrize("kinds", [(BASE,), (TILE,), (BASE, TILE)])
def test_a_map_sums_to_the_score_of_its_positions(attribution, kinds):
    (cause,) = attribution.top(1, "image")
    at = attribution.layout.where(*kinds)
    wanted = float(attribution.along(cause.feature)[at].sum())
    heat = attribution.heat(cause.feature, SIZE, kinds=kinds)
    assert heat.shape == (30, 40)
    assert float(heat.sum()) == pytest.approx(wanted, rel=1e-3, abs=1e-7)


def test_a_score_is_painted_where_its_position_looks(attribution):
    (cause,) = attribution.top(1, "image")
    at = attribution.layout.base()
    best = at[attribution.along(cause.feature)[at].argmax()]
    left, top, right, bottom = attribution.layout.box_T4[best].tolist()
    heat = attribution.heat(cause.feature, SIZE, kinds=(BASE,))
    row, column = divmod(int(heat.argmax()), SIZE[0])
    assert left - 1 < column < right
    assert top - 1 < row < bottom


BOXES = st.tuples(*[st.floats(0, 7), st.floats(0, 5), st.floats(0.25, 3), st.floats(0.25, 3)])


@settings(max_examples=40)
@given(st.lists(st.tuples(st.floats(-5, 5), BOXES), max_size=5))
def test_painting_keeps_the_sum_whatever_the_fractions(numbers):
    amounts = torch.tensor([amount for amount, _ in numbers])
    boxes = torch.tensor([[x, y, x + w, y + h] for _, (x, y, w, h) in numbers]).reshape(-1, 4)
    assert float(painted(amounts, boxes, (10, 8)).sum()) == pytest.approx(
        float(amounts.sum()), abs=1e-4
    )


def test_a_box_of_half_pixels_is_painted_by_area():
    found = painted(torch.tensor([4.0]), torch.tensor([[0.5, 0.0, 1.5, 2.0]]), (3, 2))
    assert found.tolist() == [[1, 1, 0], [1, 1, 0]]


def test_boxes_without_area_or_place_are_left_out():
    boxes = torch.tensor([[1.0, 1.0, 1.0, 2.0], [torch.nan] * 4])
    assert not bool(painted(torch.ones(2), boxes, (3, 3)).any())


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        ([1, 2, 3, 4], [10, 20, 25, 90], 1.0),
        ([1, 2, 3, 4], [9, 5, 3, -8], -1.0),
        # By hand: ranks 1 2.5 2.5 4 against 1 2 3 4.
        ([1, 5, 5, 7], [1, 2, 3, 4], 0.9486832980505138),
    ],
)
def test_rank_correlation_shares_the_ranks_of_equals(one, other, wanted):
    assert spearman(torch.tensor(one), torch.tensor(other)) == pytest.approx(wanted)


@pytest.mark.parametrize("one", [[1.0], [2.0, 2.0, 2.0]])
def test_a_rank_correlation_of_equals_is_refused(one):
    with pytest.raises(UserError, match=f"No rank correlation of {len(one)} effects"):
        spearman(torch.tensor(one), torch.tensor(one))


def test_a_coder_of_another_width_is_refused(llava):
    inputs = llava.prepare([Prompt((), "what")])
    with pytest.raises(UserError, match=r"8 wide, .* 16 wide"):
        ask(llava, coder_of(width=8), HOOK, inputs, "yes", "no")


def test_the_same_word_as_answer_and_baseline_is_refused(llava):
    inputs = llava.prepare([Prompt((), "what")])
    with pytest.raises(UserError, match="'yes' and the baseline 'yes' begin with the same token"):
        ask(llava, coder_of(), HOOK, inputs, "yes", "yes")


def test_two_prompts_at_once_are_refused(llava):
    inputs = llava.prepare([Prompt((), "what"), Prompt((), "what is")])
    with pytest.raises(UserError, match="one prompt, not position -1 of 2"):
        ask(llava, coder_of(), HOOK, inputs, "yes", "no")


def test_a_feature_out_of_range_is_refused(attribution):
    with pytest.raises(UserError, match="No feature 40 in this SAE"):
        attribution.along(FEATURES)


def test_a_picture_that_the_prompt_lacks_is_refused(attribution):
    with pytest.raises(UserError, match="No picture 1"):
        attribution.heat(0, SIZE, picture=1)
