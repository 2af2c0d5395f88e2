"""Steering: what is written where, in prompt and reply, its controls and its measurements."""

from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sae_core.coders.coder import CoderConfig, SparseCoder
from sae_core.coders.sparse import Code
from sae_core.errors import UserError
from sae_core.lmm.adapter import Prompt, adapter_for
from sae_core.lmm.layout import BASE, BREAK, PAD, TEXT, TILE, Layout
from sae_core.steering.controls import CONTROLS, control_row, random_features
from sae_core.steering.experiment import steer
from sae_core.steering.hook import Steerer, steering, values_of
from sae_core.steering.logits import generated, logits_at, repeated, reply_logits
from sae_core.steering.plan import Intervention, Row, sweep
from tests.sae_core.small_models import BUILDERS, WIDTH, noise

HOOK = "layers.1"
KINDS = (PAD, PAD, TEXT, BASE, BASE, TILE, BREAK, TEXT)
LATER = 3
SCOPES = ("all", "image", "text", "generated", (0, 4))
RULES = {
    "topk": {"k": 4},
    "jumprelu": {"rule": "jumprelu"},
    "normalised": {"k": 4, "normalised": True},
    "scaled": {"k": 4, "scale": 3.0},
}
quick = settings(max_examples=25)


def coder_of(rule="topk", width=WIDTH, features=40, seed=0):
    torch.manual_seed(seed)
    coder = SparseCoder(CoderConfig(width=width, features=features, **RULES[rule]))
    with torch.no_grad():
        coder.b_dec.normal_(std=0.1)
        coder.b_enc.normal_(std=0.1)
        if rule == "jumprelu":
            coder.threshold.fill_(0.5)
    return coder.eval()


def layout_of(kinds=KINDS):
    none = torch.full((len(kinds),), -1, dtype=torch.int16)
    return Layout(torch.tensor(kinds, dtype=torch.int8), none, torch.zeros(len(kinds), 4), ())


def one(feature, kind="clamp", value=10.0, where="all"):
    value = None if kind == "ablate" else value
    return Intervention(feature=feature, kind=kind, value=value, where=where)


def reached(where, kinds=KINDS):
    """Where a scope acts, in the prompt and in what follows, told apart by hand."""
    kept = [i for i, kind in enumerate(kinds) if kind != PAD]
    marks = [False] * len(kinds)
    for i in kept:
        kind = kinds[i]
        marks[i] = {
            "all": True,
            "image": kind in (BASE, TILE, BREAK),
            "text": kind == TEXT,
            "generated": False,
        }.get(where, kept.index(i) in where if isinstance(where, tuple) else False)
    return torch.tensor(marks + [where in ("all", "generated")] * LATER)


def changed(z, intervention):
    value = intervention.value
    return {
        "clamp": lambda: torch.full_like(z, value or 0),
        "add": lambda: z + value,
        "scale": lambda: z * value,
        "ablate": lambda: torch.zeros_like(z),
    }[intervention.kind]()


def decoded(coder, z_TF, norms):
    every = torch.arange(coder.features).expand_as(z_TF)
    return coder.decode(Code(z_TF, every), norms)


def strict_by_hand(coder, x_TD, interventions):
    """x + decode(z') - decode(z), with all features written out."""
    with torch.no_grad():
        norms = coder.prepared(x_TD)[1]
        before = coder.encode(x_TD).dense(coder.features)
        after = before.clone()
        for each in interventions:
            here = reached(each.where)
            after[here, each.feature] = changed(before[:, each.feature], each)[here]
        return x_TD + decoded(coder, after, norms) - decoded(coder, before, norms)


def activations(rows=1, seed=1):
    torch.manual_seed(seed)
    return torch.randn(rows, len(KINDS) + LATER, WIDTH) * 3


INTERVENTIONS = st.builds(
    one,
    feature=st.integers(0, 39),
    kind=st.sampled_from(["clamp", "add", "scale", "ablate"]),
    value=st.floats(-20, 20),
    where=st.sampled_from(SCOPES),
)
ROWS = st.lists(INTERVENTIONS, max_size=3, unique_by=lambda i: i.feature).map(tuple)


@pytest.mark.parametrize("rule", RULES)
@quick
@given(rows=st.lists(ROWS, min_size=1, max_size=3), seed=st.integers(0, 99))
def test_strict_writes_the_change_of_the_decoded_code_and_keeps_the_error(rule, rows, seed):
    coder, x = coder_of(rule), activations(len(rows), seed)
    steerer = Steerer(coder, [layout_of()] * len(rows), [Row(row) for row in rows], "strict")
    wanted = torch.stack([strict_by_hand(coder, x[b], row) for b, row in enumerate(rows)])
    torch.testing.assert_close(steerer(x), wanted, atol=2e-4, rtol=1e-4)


@pytest.mark.parametrize("mode", ["strict", "paper"])
@pytest.mark.parametrize("kind", ["clamp", "add", "scale"])
def test_position_by_position_is_changed_as_in_one_pass(mode, kind):
    coder, x = coder_of(), activations(2)
    rows = [Row((one(3, kind), one(7, "ablate", where="text"))), Row()]
    whole = Steerer(coder, [layout_of()] * 2, rows, mode)(x)
    steerer = Steerer(coder, [layout_of()] * 2, rows, mode)
    cuts = [len(KINDS), *[1] * LATER]
    parts = torch.cat([steerer(part) for part in x.split(cuts, 1)], 1)
    torch.testing.assert_close(parts, whole, atol=1e-5, rtol=1e-5)


def test_interventions_that_read_nothing_while_decoding_do_no_harm():
    rows = [Row((one(3, "ablate", where="text"), one(5, "add", 2.0)))]
    coder, x = coder_of(), activations()
    steerer = Steerer(coder, [layout_of()], rows, "strict")
    steerer(x[:, : len(KINDS)])
    torch.testing.assert_close(
        steerer(x[:, :1]) - x[:, :1], 2 * coder.directions(torch.tensor([[5]])).detach()
    )


@quick
@given(seed=st.integers(0, 999), k=st.sampled_from([1, 5, 60]))
def test_values_of_a_few_features_are_those_of_the_whole_code(seed, k):
    torch.manual_seed(seed)
    coder = SparseCoder(CoderConfig(width=8, features=400, k=k))
    x, features = torch.randn(30, 8), torch.arange(0, 400, 7)
    with torch.no_grad():
        found, wanted = values_of(coder, x, features), coder.encode(x).of(features)
    torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("mode", ["strict", "paper"])
def test_a_row_without_interventions_stays_as_it_is_bit_for_bit(mode):
    x = activations(2)
    steerer = Steerer(coder_of(), [layout_of()] * 2, [Row(), Row((one(3),))], mode)
    assert torch.equal(steerer(x)[0], x[0])


def test_padding_is_left_alone_even_where_it_is_not_a_number():
    x = activations()
    x[0, :2] = torch.nan
    after = Steerer(coder_of(), [layout_of()], [Row((one(3), one(5, "ablate")))], "strict")(x)
    assert bool(after[0, 2:].isfinite().all())


@quick
@given(value=st.floats(-5, 60), feature=st.integers(0, 39), seed=st.integers(0, 99))
def test_paper_clamps_before_topk_on_the_prompt_and_drops_the_error(value, feature, seed):
    coder, x_TD = coder_of(), activations(1, seed)[0]
    steerer = Steerer(coder, [layout_of()], [Row((one(feature, "clamp", value),))], "paper")
    with torch.no_grad():
        z = torch.relu(coder.prepared(x_TD)[0] @ coder.W_enc.T + coder.b_enc)
        z[2 : len(KINDS), feature] = value
        kept = z.topk(4, dim=1)
        sparse = torch.zeros_like(z).scatter(1, kept.indices, kept.values)
        wanted = sparse @ coder.W_dec + coder.b_dec
    found = steerer(x_TD[None])[0]
    torch.testing.assert_close(found[2:], wanted[2:], atol=1e-4, rtol=1e-4)


def test_non_finite_activations_are_refused():
    x = activations()
    x[0, 4, 0] = torch.inf
    with pytest.raises(UserError, match="infinite activations at the steered layer in 1 of 6"):
        Steerer(coder_of(), [layout_of()], [Row((one(3),))], "strict")(x)


def _written(row, x=None, mode="strict"):
    """What a row adds to the activations."""
    x = activations() if x is None else x
    return (Steerer(coder_of(), [layout_of()], [row], mode)(x) - x)[0, 2:]


def test_wrong_sign_takes_off_what_the_intervention_adds():
    plan = (one(3, "clamp"), one(8, "scale", 4.0))
    control = control_row("wrong_sign", plan, coder_of())
    torch.testing.assert_close(_written(control), -_written(Row(plan)))


def test_a_random_direction_is_written_as_strongly_as_the_features_own():
    plan = (one(3, "clamp"),)
    control = _written(control_row("random_direction", plan, coder_of(), seed=5))
    own = _written(Row(plan))
    torch.testing.assert_close(control.norm(dim=1), own.norm(dim=1))
    assert not torch.allclose(control, own)


def test_a_random_direction_is_the_same_at_every_strength():
    weak, strong = (
        control_row("random_direction", (one(3, value=v),), coder_of(), seed=5) for v in (1, 50)
    )
    assert torch.equal(weak.written_ID, strong.written_ID)


@pytest.mark.parametrize("mode", ["strict", "paper"])
def test_the_reconstruction_control_writes_what_the_coder_makes_of_the_layer(mode):
    x = activations()
    control = control_row("reconstruction", (one(3),), coder_of())
    with torch.no_grad():
        wanted = (coder_of()(x[0]) - x[0])[2:]
    torch.testing.assert_close(_written(control, x, mode), wanted, atol=1e-5, rtol=1e-5)


def test_the_reconstruction_control_stays_within_the_interventions_scope():
    added = _written(control_row("reconstruction", (one(3, where="image"),), coder_of()))
    outside = ~reached("image")[2:]
    assert not bool(added[outside].any())


@given(st.integers(0, 49), st.integers(0, 9))
def test_a_random_feature_fires_about_as_often(feature, seed):
    rates = np.geomspace(1e-6, 1, 50)
    other = random_features([feature], rates, seed)[feature]
    assert 0 < abs(other - feature) <= 16


def test_random_features_differ_from_all_that_are_steered():
    drawn = random_features([0, 1, 2], np.ones(8), seed=0)
    assert not {0, 1, 2} & set(drawn.values())
    assert len(set(drawn.values())) == 3


@pytest.mark.parametrize("rates", [None, np.ones(39)])
def test_a_random_feature_without_fitting_rates_is_refused(rates):
    with pytest.raises(UserError, match=r"all 40 features .*(none|\(39,\))"):
        control_row("random_feature", (one(3),), coder_of(), rates_F=rates)


# ---- in a model -------------------------------------------------------------------------------


class Scene(NamedTuple):
    adapter: object
    coder: SparseCoder
    prompt: Prompt


def scene_of(name):
    adapter = adapter_for(*BUILDERS[name]())
    return Scene(adapter, coder_of(), Prompt((noise(40, 30),), "what is this"))


@pytest.fixture(scope="module", params=BUILDERS)
def scene(request):
    return scene_of(request.param)


@pytest.fixture(scope="module")
def llava():
    return scene_of("llava-next")


ROWS_RUN = (Row(), Row((one(3, value=30.0),)), Row((one(5, "add", -20.0, "image"),)))


@torch.no_grad()
@pytest.mark.parametrize("mode", ["strict", "paper"])
def test_generating_with_the_cache_says_what_full_passes_say(scene, mode):
    adapter, coder, prompt = scene
    batch = repeated(adapter.prepare([prompt]), len(ROWS_RUN))
    with steering(adapter, coder, HOOK, batch.layouts, ROWS_RUN, mode):
        replies = generated(adapter, batch.tensors, 4)
    for at, reply in enumerate(replies):
        one_row = repeated(adapter.prepare([prompt]), 1)
        with steering(adapter, coder, HOOK, one_row.layouts, ROWS_RUN[at : at + 1], mode):
            logits = reply_logits(adapter, one_row.tensors, reply[None])[0]
        logits[:, adapter.model.config.image_token_id] = -torch.inf
        chosen = logits.gather(1, reply[:, None])[:, 0]
        torch.testing.assert_close(chosen, logits.max(1).values, atol=1e-4, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("where", ["all", "text", "image", (1,)])
def test_rows_of_a_left_padded_batch_are_steered_as_if_alone(llava, where):
    adapter, coder, prompt = llava
    prompts = [prompt, Prompt((noise(20, 90, 1),), "what is this red cat")]
    row, last = Row((one(3, value=20.0, where=where),)), torch.tensor([-1])
    both = adapter.prepare(prompts)
    with steering(adapter, coder, HOOK, both.layouts, [row, row]):
        together = logits_at(adapter, both.tensors, last)
    for at, each in enumerate(prompts):
        alone = adapter.prepare([each])
        with steering(adapter, coder, HOOK, alone.layouts, [row]):
            wanted = logits_at(adapter, alone.tensors, last)[0]
        torch.testing.assert_close(together[at], wanted, atol=1e-4, rtol=1e-4)


def test_the_hook_is_gone_after_steering(llava):
    inputs = llava.adapter.prepare([llava.prompt])
    with steering(llava.adapter, llava.coder, HOOK, inputs.layouts, [Row((one(3),))]):
        pass
    assert not llava.adapter.block(HOOK)._forward_hooks


@pytest.fixture(scope="module")
def steered(llava):
    plan = [*sweep([3], "clamp", [0.5, 40.0]), (one(5, "add", 30.0, "generated"),)]
    return steer(
        *llava[:2],
        HOOK,
        llava.prompt,
        plan,
        tokens=5,
        words=("yes", "no"),
        controls=CONTROLS,
        rates_F=np.ones(40),
        batch=4,
    )


def test_every_entry_has_every_control(steered):
    assert [o.entry for o in steered.entries] == [0, 1, 2]
    assert {c: len(steered.of(c)) for c in CONTROLS} == dict.fromkeys(CONTROLS, 3)


def test_who_listens_hears_every_token_of_every_row_and_changes_nothing(llava, steered):
    heard = []
    plan = [one.interventions for one in steered.entries]
    again = steer(
        *llava[:2],
        HOOK,
        llava.prompt,
        plan,
        tokens=5,
        words=("yes", "no"),
        controls=CONTROLS,
        rates_F=np.ones(40),
        batch=4,
        heard=lambda texts: heard.append(list(texts)),
    )
    assert again == steered
    assert heard[-1] == [one.text for one in (steered.unsteered, *again.entries, *again.controls)]
    assert [len(texts) for texts in heard] == sorted(len(texts) for texts in heard)
    assert len(heard[0]) == 4


def test_a_listener_that_has_heard_enough_ends_the_experiment(llava):
    class Enough(Exception):
        pass

    def heard(texts):
        assert len(texts) == 2
        raise Enough

    with pytest.raises(Enough):
        steer(*llava[:2], HOOK, llava.prompt, sweep([3], "clamp", [40.0]), heard=heard)
    assert not llava.adapter.block(HOOK)._forward_hooks


def test_the_unsteered_row_differs_from_itself_in_nothing(steered):
    assert set(steered.unsteered.changes.values()) == {0.0}
    assert set(steered.unsteered.kl) == {0.0}


def test_a_stronger_clamp_goes_further_from_the_unsteered_model(steered):
    weak, strong, _ = steered.entries
    assert strong.kl[0] > weak.kl[0] > 0


def test_an_intervention_on_generated_tokens_leaves_the_next_token_alone(steered):
    later = steered.entries[2]
    assert later.kl[0] == pytest.approx(0, abs=1e-6)
    assert max(later.kl[1:]) > 1e-4


def test_the_unsteered_reply_is_the_models_own(llava, steered):
    inputs = llava.adapter.prepare([llava.prompt])
    own = generated(llava.adapter, inputs.tensors, 5)[0]
    assert steered.unsteered.ids == tuple(own.tolist())


@torch.no_grad()
def test_perplexity_is_that_of_the_steered_text_under_the_unsteered_model(llava, steered):
    strong = steered.entries[1]
    inputs, reply = llava.adapter.prepare([llava.prompt]), torch.tensor([strong.ids])
    logs = reply_logits(llava.adapter, inputs.tensors, reply)[0].log_softmax(-1)
    wanted = logs.gather(1, reply.T).mean().neg().exp()
    assert strong.perplexity == pytest.approx(float(wanted), rel=1e-4)


@torch.no_grad()
def test_logits_and_kl_are_those_of_the_next_token(llava, steered):
    adapter, coder, prompt = llava
    inputs, last = adapter.prepare([prompt]), torch.tensor([-1])
    plain = logits_at(adapter, inputs.tensors, last)[0, 0]
    with steering(adapter, coder, HOOK, inputs.layouts, [Row((one(3, value=40.0),))]):
        moved = logits_at(adapter, inputs.tensors, last)[0, 0]
    yes = adapter.processor.tokenizer.convert_tokens_to_ids("yes")
    logs, base = moved.log_softmax(-1), plain.log_softmax(-1)
    strong = steered.entries[1]
    assert strong.changes["yes"] == pytest.approx(float(moved[yes] - plain[yes]), abs=1e-4)
    assert strong.kl[0] == pytest.approx(float((logs.exp() * (logs - base)).sum()), abs=1e-4)


def test_a_result_survives_json(steered):
    assert type(steered).model_validate_json(steered.model_dump_json()) == steered


# ---- refusals ---------------------------------------------------------------------------------


def test_a_strength_that_is_no_number_is_refused():
    with pytest.raises(UserError, match=r"strength nan for feature 3 .* clamp needs one"):
        one(3, value=float("nan"))


@pytest.mark.parametrize(("kind", "value"), [("clamp", None), ("ablate", 2.0)])
def test_a_strength_missing_or_in_excess_is_refused(kind, value):
    with pytest.raises(UserError, match=f"{kind} with value {value} for feature 3"):
        Intervention(feature=3, kind=kind, value=value)


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ((one(40),), r"No feature 40 in this SAE: it has 40"),
        ((one(3, where=(9999,)),), r"No position 9999 in this prompt: it has \d+ tokens"),
        ((one(3), one(3, "add", where="text")), r"Feature 3 is changed twice .* clamp and add"),
    ],
)
def test_an_impossible_intervention_is_refused(llava, plan, message):
    with pytest.raises(UserError, match=message):
        steer(*llava[:2], HOOK, llava.prompt, [plan])


def test_image_tokens_of_a_prompt_without_picture_are_refused(llava):
    with pytest.raises(UserError, match=r"Feature 3 is to be changed at image positions"):
        steer(*llava[:2], HOOK, Prompt((), "what"), [(one(3, where="image"),)])


def test_a_coder_of_another_width_is_refused(llava):
    with pytest.raises(UserError, match=r"reads activations 8 wide, .* at layers\.1 are 16 wide"):
        steer(llava.adapter, coder_of(width=8), HOOK, llava.prompt, [(one(3),)])


def test_a_hook_that_does_not_exist_is_refused(llava):
    with pytest.raises(UserError, match=r"layers\.7.*layers\.0 to layers\.2"):
        steer(*llava[:2], "layers.7", llava.prompt, [(one(3),)])


def test_a_word_that_the_model_cannot_say_is_refused(llava):
    with pytest.raises(UserError, match="no token for 'zebra'"):
        steer(*llava[:2], HOOK, llava.prompt, [(one(3),)], words=["zebra"])


def test_an_empty_entry_is_refused(llava):
    with pytest.raises(UserError, match="an intervention in each entry"):
        steer(*llava[:2], HOOK, llava.prompt, [()])


@pytest.mark.parametrize(
    ("rule", "where", "message"),
    [("jumprelu", "all", "a jumprelu one"), ("topk", "generated", "where=generated")],
)
def test_paper_mode_refuses_what_was_not_published(llava, rule, where, message):
    plan = [(one(3, where=where),)]
    with pytest.raises(UserError, match=message):
        steer(llava.adapter, coder_of(rule), HOOK, llava.prompt, plan, mode="paper")
