import pytest
import torch

from sae_core.coders.coder import CoderConfig, SparseCoder
from sae_core.errors import UserError
from sae_core.lmm.adapter import Prompt, adapter_for
from sae_core.lmm.fit import check_fits
from sae_core.training.activations import Conversation
from sae_core.training.evaluation import (
    Evaluator,
    Monosemanticity,
    evaluate,
    loss_recovered,
)
from tests.sae_core.small_models import BUILDERS, noise


def coder_of(width=5, features=12, k=3):
    torch.manual_seed(0)
    return SparseCoder(CoderConfig(width=width, features=features, k=k)).eval()


def test_the_evaluation_equals_a_dense_one_however_the_rows_are_cut():
    coder, x = coder_of(), torch.randn(200, 5) + 1
    with torch.no_grad():
        z, made = coder.encode(x).dense(12), coder(x)
    wanted = (x - made).square().sum(0), (x - x.mean(0)).square().sum(0)
    for size in (7, 200):
        found = evaluate(coder, x.split(size))
        assert found.rows == 200
        assert found.fvu == pytest.approx(float(wanted[0].sum() / wanted[1].sum()), rel=1e-4)
        explained = float((1 - wanted[0] / wanted[1]).mean())
        assert found.explained_variance == pytest.approx(explained, rel=1e-4)
        assert found.l0 == pytest.approx(float((z > 0).sum(1).float().mean()))
        assert found.dead == pytest.approx(float((~(z > 0).any(0)).float().mean()))
        assert sum(found.densities) == round(12 * (1 - found.dead))


def test_an_evaluation_without_rows_is_refused():
    with pytest.raises(UserError, match="at least 2 rows"):
        Evaluator(coder_of()).result()


@pytest.fixture(scope="module")
def adapter():
    return adapter_for(*BUILDERS["llava-next"]())


def talks():
    shown = [noise(40, 30, seed) for seed in range(3)]
    return [
        Conversation(Prompt((picture,), text), reply)
        for picture, text, reply in zip(
            shown, ("what is this?", "why", ""), ("a b c", "a", ""), strict=True
        )
    ]


class Perfect(torch.nn.Module):
    """Stands for a coder that loses nothing."""

    def forward(self, x):
        return x.clone()


def test_a_perfect_stand_in_recovers_all_of_the_loss_and_zeros_none(adapter):
    perfect = loss_recovered(adapter, Perfect(), "layers.1", talks())
    assert perfect.recovered == pytest.approx(1)
    assert perfect.clean != pytest.approx(perfect.zeroed)

    class Zero(Perfect):
        def forward(self, x):
            return torch.zeros_like(x)

    assert loss_recovered(adapter, Zero(), "layers.1", talks()).recovered == pytest.approx(0)


def test_the_loss_does_not_depend_on_how_many_are_read_at_once(adapter):
    one, two = (loss_recovered(adapter, Perfect(), "layers.1", talks(), at_once=n) for n in (1, 2))
    assert one.tokens == two.tokens
    assert one.clean == pytest.approx(two.clean, rel=1e-4)


def test_without_replies_there_is_no_loss_to_recover(adapter):
    with pytest.raises(UserError, match="No conversation has a reply"):
        loss_recovered(adapter, Perfect(), "layers.1", talks()[2:])


def test_a_coder_of_another_width_is_refused_naming_both(adapter):
    with pytest.raises(UserError, match=r"5 wide.*layers\.1 are 16 wide"):
        check_fits(adapter, coder_of(), "layers.1")


def test_monosemanticity_equals_the_mean_over_all_pairs():
    generator = torch.Generator().manual_seed(0)
    embeddings = torch.randn(20, 6, generator=generator)
    active = torch.rand(20, 3, generator=generator) * (torch.rand(20, 3, generator=generator) < 0.6)
    score = Monosemanticity(4, 6)
    for part in (slice(0, 7), slice(7, 20)):
        pictures, features = active[part].nonzero(as_tuple=True)
        score.add(features, active[part][pictures, features], embeddings[part][pictures])
    unit = torch.nn.functional.normalize(embeddings.double(), dim=1)
    for j in range(3):
        a = active[:, j].double()
        weight = a[:, None] * a[None] * (1 - torch.eye(20))
        expected = (weight * (unit @ unit.T)).sum() / weight.sum()
        torch.testing.assert_close(score.scores()[j], expected)
    assert score.scores()[3].isnan()
