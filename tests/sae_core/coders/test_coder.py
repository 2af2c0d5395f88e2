import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sae_core.coders import selection
from sae_core.coders.coder import CoderConfig, SparseCoder, check_feature, check_finite
from sae_core.errors import UserError

quick = settings(max_examples=30, deadline=None)
sizes = st.tuples(st.integers(1, 20), st.integers(1, 8), st.integers(2, 24), st.integers(0, 999))


def made(rule="topk", width=6, features=16, k=3, seed=0, **more):
    torch.manual_seed(seed)
    coder = SparseCoder(CoderConfig(width=width, features=features, rule=rule, k=k, **more))
    with torch.no_grad():
        coder.b_dec.normal_()
        coder.b_enc.normal_(std=0.1)
        coder.W_enc.normal_()
    return coder


def pre_of(coder, x):
    return (x - coder.b_dec) @ coder.W_enc.T + coder.b_enc


@quick
@given(sizes)
def test_topk_is_the_papers_equations(size):
    rows, width, features, seed = size
    k = min(3, features)
    coder = made(width=width, features=features, k=k, seed=seed)
    x = torch.randn(rows, width)
    z = torch.relu(pre_of(coder, x))
    kept = z.topk(k, dim=1)
    z = torch.zeros_like(z).scatter(1, kept.indices, kept.values)
    torch.testing.assert_close(coder.encode(x).dense(features), z, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(coder(x), z @ coder.W_dec + coder.b_dec, atol=1e-5, rtol=1e-5)


@quick
@given(sizes)
def test_gradients_of_a_whole_coder_equal_the_dense_ones(size):
    rows, width, features, seed = size
    k = min(3, features)
    ours, theirs = (made(width=width, features=features, k=k, seed=seed) for _ in range(2))
    x = torch.randn(rows, width, generator=torch.Generator().manual_seed(seed))
    ours(x).square().sum().backward()
    z = torch.relu(pre_of(theirs, x))
    kept = z.topk(k, dim=1)
    z = torch.zeros_like(z).scatter(1, kept.indices, kept.values)
    (z @ theirs.W_dec + theirs.b_dec).square().sum().backward()
    for name in ("W_enc", "b_enc", "W_dec", "b_dec"):
        a, b = getattr(ours, name).grad, getattr(theirs, name).grad
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-5, msg=lambda m, n=name: f"{n}: {m}")


@quick
@given(sizes)
def test_batchtopk_keeps_the_largest_of_all_rows_in_training(size):
    rows, width, features, seed = size
    k = min(2, features)
    coder = made("batchtopk", width, features, k, seed).train()
    x = torch.randn(rows, width)
    z = torch.relu(pre_of(coder, x))
    least = pre_of(coder, x).reshape(-1).topk(rows * k).values[-1]
    expected = torch.where(pre_of(coder, x) >= least, z, 0)
    torch.testing.assert_close(coder.encode(x).dense(features), expected, atol=1e-5, rtol=1e-5)


def test_batchtopk_looks_deeper_when_one_row_takes_everything():
    coder = made("batchtopk", features=40, k=2).train()
    x = torch.randn(10, 6)
    x[0] *= 1000
    pre = pre_of(coder, x)
    least = pre.reshape(-1).topk(20).values[-1]
    expected = torch.where(pre >= least, pre.relu(), 0)
    torch.testing.assert_close(coder.encode(x).dense(40), expected, atol=1e-3, rtol=1e-5)
    assert (expected[0] > 0).sum() > 8  # more than four times k: deeper than the first look


@pytest.mark.parametrize("training", [True, False])
def test_jumprelu_fires_above_each_features_own_threshold(training):
    coder = made("jumprelu", k=None).train(training)
    with torch.no_grad():
        coder.threshold.uniform_(0, 1)
    x = torch.randn(12, 6)
    pre = pre_of(coder, x)
    expected = torch.where(pre > coder.threshold, pre, 0)
    torch.testing.assert_close(coder.encode(x).dense(16), expected, atol=1e-5, rtol=1e-5)


def test_jumprelu_thresholds_get_a_gradient_from_near_misses_alone():
    coder = SparseCoder(CoderConfig(width=1, features=3, rule="jumprelu", k=1)).train()
    with torch.no_grad():
        coder.W_enc.fill_(1.0)
        coder.W_dec.fill_(1.0)
        coder.threshold.copy_(torch.tensor([1.0, 0.999, 0.5]))
    coder(torch.tensor([[1.0]])).sum().backward()
    reached = coder.threshold.grad != 0
    assert reached.tolist() == [True, True, False]


def test_picks_that_are_not_positive_neither_fire_nor_learn():
    coder = made(k=16)
    with torch.no_grad():
        coder.b_enc.fill_(-100)
    code = coder.encode(torch.randn(5, 6))
    assert not code.fired().any()
    coder.decode(code).sum().backward()
    assert not coder.W_enc.grad.any()


def test_the_size_of_chunks_does_not_matter(monkeypatch):
    x = torch.randn(11, 6)
    for rule, k in (("topk", 3), ("batchtopk", 3), ("jumprelu", None)):
        coder = made(rule, k=k).train(rule != "jumprelu")
        whole = coder.encode(x).dense(16)
        monkeypatch.setattr(selection, "CHUNK", 32)
        torch.testing.assert_close(coder.encode(x).dense(16), whole)
        monkeypatch.undo()


def test_a_normalising_coder_puts_mean_and_deviation_back():
    coder = made(k=16, normalised=True)
    x = torch.randn(4, 6) * 7 + 3
    mean, deviation = x.mean(1, keepdim=True), x.std(1, keepdim=True)
    plain = (x - mean) / (deviation + 1e-5)
    z = torch.relu((plain - coder.b_dec) @ coder.W_enc.T + coder.b_enc)
    expected = (z @ coder.W_dec + coder.b_dec) * deviation + mean
    torch.testing.assert_close(coder(x), expected, atol=1e-4, rtol=1e-4)


def test_scaled_directions_are_what_a_feature_really_adds():
    coder = made(k=16, scale=4.0)
    code = coder.encode(torch.randn(1, 6))
    more = code._replace(values_NK=code.values_NK + (code.indices_NK == 5))
    added = coder.decode(more) - coder.decode(code)
    torch.testing.assert_close(added[0], coder.directions(torch.tensor([5]))[0])


def test_leading_dimensions_are_kept():
    coder = made()
    x = torch.randn(2, 3, 6)
    code = coder.encode(x)
    assert code.values_NK.shape == (2, 3, 3)
    torch.testing.assert_close(coder.decode(code), coder(x.reshape(6, 6)).reshape(2, 3, 6))


def test_activations_of_another_width_are_refused_naming_both():
    with pytest.raises(UserError, match=r"5 wide.*reads 6"):
        made().encode(torch.randn(2, 5))


def test_a_feature_out_of_range_is_refused():
    with pytest.raises(UserError, match=r"No feature 16 .* 16 \(0 to 15\)"):
        check_feature(made(), 16)


def test_activations_that_are_not_finite_are_refused_with_their_number():
    x = torch.zeros(3, 4)
    x[1, 2] = torch.inf
    with pytest.raises(UserError, match=r"layers\.3 in 1 of 3"):
        check_finite(x, "layers.3")


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"k": None}, "k=None"),
        ({"k": 17}, "k=17"),
        ({"k": 2, "groups": (8, 4, 16)}, "groups"),
        ({"k": 2, "groups": (4, 8)}, "groups"),
    ],
)
def test_impossible_configs_are_refused_by_name(wrong, named):
    with pytest.raises(ValueError, match=named):
        CoderConfig(width=4, features=16, **wrong)


def test_gradients_under_half_precision_autocast_stay_close_to_the_full_ones():
    """A bias's gradient summed in bfloat16 stops growing after a few hundred rows."""
    grads = []
    for half in (False, True):
        coder = made(features=16, k=16).train()
        x = torch.randn(4000, 6, generator=torch.Generator().manual_seed(0))
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            coder(x).float().sum().backward()
        assert coder.b_enc.grad.dtype == torch.float32
        grads.append(coder.b_enc.grad)
    torch.testing.assert_close(
        grads[1], grads[0], rtol=0.03, atol=0.03 * float(grads[0].abs().max())
    )


def test_one_row_that_fires_much_does_not_hide_what_others_fire():
    coder = made("batchtopk", features=400, k=4).train()
    x = torch.randn(30, 6)
    x[7] *= 300
    code = coder.encode(x)
    z = pre_of(coder, x).relu()
    least = z.reshape(-1).topk(120).values[-1]
    torch.testing.assert_close(code.dense(400), torch.where(z >= least, z, 0), atol=1e-3, rtol=1e-4)
    assert int(code.fired().sum()) == 120
