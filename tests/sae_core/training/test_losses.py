import pytest
import torch

from sae_core.coders.coder import CoderConfig, SparseCoder
from sae_core.training.losses import fvu, geometric_median, loss_of, usual_rate


def coder_of(width=6, features=24, k=2, **more):
    torch.manual_seed(0)
    return SparseCoder(CoderConfig(width=width, features=features, k=k, **more)).train()


def reference_aux(coder, x, dead):
    """Gao et al.: dead features explain the detached residual of the whole reconstruction."""
    left = (x - coder(x)).detach()
    pre = (x - coder.b_dec) @ coder.W_enc[dead].T + coder.b_enc[dead]
    kept = pre.relu().topk(min(len(dead), coder.width // 2), dim=1)
    z = torch.zeros_like(pre).scatter(1, kept.indices, kept.values)
    made = z @ coder.W_dec[dead]
    return (left - made).square().sum() / left.square().sum()


def test_aux_loss_and_its_gradients_equal_a_dense_reference():
    coder, twin = coder_of(), coder_of()
    x = torch.randn(32, 6)
    dead_F = torch.zeros(24, dtype=torch.bool)
    dead_F[[1, 5, 7, 20]] = True
    loss = loss_of(coder, x, dead_F)
    loss.aux.backward()
    expected = reference_aux(twin, x, dead_F.nonzero()[:, 0])
    expected.backward()
    torch.testing.assert_close(loss.aux, expected)
    for name in ("W_enc", "b_enc", "W_dec"):
        torch.testing.assert_close(getattr(coder, name).grad, getattr(twin, name).grad)


NAMES = ("W_enc", "b_enc", "W_dec", "b_dec")


def normalising(rule):
    """A coder in double precision that normalises rows, and rows that need it."""
    coder = coder_of(normalised=True, rule=rule, k=3).double()
    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for tensor, size in ((coder.b_dec, 0.3), (coder.b_enc, 0.1)):
            tensor.copy_(torch.randn(tensor.shape, generator=rng) * size)
        if rule == "jumprelu":
            coder.threshold.copy_(torch.rand(24, generator=rng) + 0.3)
    return coder, torch.randn(500, 6, generator=rng).double() * 7 + 3


def normed(x, coder):
    """Rows as the encoder reads them, with what decoding puts back."""
    mean, deviation = x.mean(1, keepdim=True), x.std(1, keepdim=True)
    return (x - mean) / (deviation + 1e-5) - coder.b_dec, mean, deviation


def assert_same_gradients(ours, theirs, names):
    for name in names:
        a, b = getattr(ours, name).grad, getattr(theirs, name).grad
        assert b.any(), name
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-8, msg=lambda m, n=name: f"{n}: {m}")


def test_gradients_of_a_normalising_jumprelu_equal_a_dense_reference():
    (coder, x), (twin, _) = normalising("jumprelu"), normalising("jumprelu")
    loss = loss_of(coder, x)
    loss.total.backward()

    ready, mean, deviation = normed(x, twin)
    pre, limit = ready @ twin.W_enc.T + twin.b_enc, twin.threshold
    width = (limit.detach().abs() * 0.02).clamp(min=1e-3)
    near = (((pre - limit).abs() < width / 2) & (pre > 0)).detach() / width
    above = (pre > limit).detach().double()
    moved = limit - limit.detach()  # zero, with the gradient of the threshold
    z = pre * above - limit.detach() * near * moved
    made = (z @ twin.W_dec + twin.b_dec) * deviation + mean
    count = (above - near * moved).sum(1).mean()
    main, sparsity = fvu(x, made), (count / 3 - 1).square()
    (main + 0.1 * sparsity).backward()

    torch.testing.assert_close(loss.fvu, main)
    torch.testing.assert_close(loss.sparsity, sparsity)
    assert_same_gradients(coder, twin, (*NAMES, "threshold"))


@pytest.mark.parametrize("rule", ["topk", "jumprelu"])
def test_aux_gradients_of_a_normalising_coder_equal_a_dense_reference(rule):
    (coder, x), (twin, _) = normalising(rule), normalising(rule)
    dead = torch.tensor([1, 5, 7, 20, 21])
    aux = loss_of(coder, x, torch.zeros(24, dtype=torch.bool).index_fill(0, dead, True)).aux
    aux.backward()

    ready, mean, deviation = normed(x, twin)
    left = (ready - ((twin(x) - mean) / (deviation + 1e-5) - twin.b_dec)).detach()
    pre = (ready @ twin.W_enc[dead].T + twin.b_enc[dead]).relu()
    kept = pre.topk(3, dim=1)
    z = torch.zeros_like(pre).scatter(1, kept.indices, kept.values)
    expected = (left - z @ twin.W_dec[dead]).square().sum() / left.square().sum()
    expected.backward()

    torch.testing.assert_close(aux, expected)
    assert_same_gradients(coder, twin, NAMES)


def test_aux_loss_moves_dead_features_only_and_their_encoders_too():
    coder = coder_of()
    dead_F = torch.arange(24) < 6
    loss_of(coder, torch.randn(32, 6), dead_F).aux.backward()
    assert not coder.W_enc.grad[6:].any()
    assert not coder.W_dec.grad[6:].any()
    assert coder.W_enc.grad[:6].any()
    assert coder.W_dec.grad[:6].any()


def test_learning_the_residual_makes_it_smaller():
    coder = coder_of()
    dead_F = torch.arange(24) < 12
    x = torch.randn(64, 6)
    first = loss_of(coder, x, dead_F).aux
    optimiser = torch.optim.Adam(coder.parameters(), lr=1e-2)
    for _ in range(60):
        optimiser.zero_grad()
        last = loss_of(coder, x, dead_F).aux
        last.backward()
        optimiser.step()
    assert last < 0.8 * first


def test_without_dead_features_there_is_no_aux_loss():
    assert loss_of(coder_of(), torch.randn(8, 6), torch.zeros(24, dtype=torch.bool)).aux == 0


def test_fvu_is_one_for_the_mean_and_zero_for_the_truth():
    x = torch.randn(50, 4) + 3
    assert fvu(x, x) == 0
    torch.testing.assert_close(fvu(x, x.mean(0).expand_as(x)), torch.tensor(1.0))


def test_matryoshka_loss_is_the_mean_over_dictionaries_that_stand_alone():
    coder = coder_of(groups=(4, 12, 24), rule="batchtopk")
    x = torch.randn(16, 6)
    z = coder.encode(x).dense(24)
    alone = [fvu(x, z[:, :size] @ coder.W_dec[:size] + coder.b_dec) for size in (4, 12, 24)]
    torch.testing.assert_close(loss_of(coder, x).total, torch.stack(alone).mean())


def test_too_many_firing_raise_a_jumprelus_thresholds():
    coder = coder_of(rule="jumprelu", features=8, k=1)
    with torch.no_grad():
        coder.threshold.fill_(0.2)
    x = coder.W_enc[:4].detach() * 0.201
    loss = loss_of(coder, x)
    loss.sparsity.backward()
    too_many = (coder.encode(x).fired().sum(1).float().mean() > 1).item()
    assert too_many == bool((coder.threshold.grad < 0).any())
    assert coder.threshold.grad.any() or not too_many


def test_the_geometric_median_ignores_what_the_mean_does_not():
    x = torch.randn(101, 3, generator=torch.Generator().manual_seed(0))
    far = torch.cat([x, torch.full((10, 3), 1e4)])
    median = geometric_median(far)
    assert median.norm() < 0.5
    assert far.mean(0).norm() > 100
    distance = (far - median).norm(dim=1).sum()
    for step in torch.eye(3) * 0.01:
        assert (far - median - step).norm(dim=1).sum() >= distance


@pytest.mark.parametrize(("features", "rate"), [(2**14, 2e-4), (2**17, 7.07e-5)])
def test_the_usual_rate_is_the_published_one(features, rate):
    assert usual_rate(features) == pytest.approx(rate, rel=1e-3)
