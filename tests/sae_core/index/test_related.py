"""Negatives and neighbours of many features: block by block, and nothing large held."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from sae_core.index import related as module
from sae_core.index.pool import Pool
from sae_core.index.related import Related, related
from sae_core.index.spec import IndexSpec


def spec_of(features):
    return IndexSpec(
        coder="c", features=features, model="m", hook="h", pictures="p", size=1000, grid=(1, 1),
        related=4,
    )  # fmt: skip


def pool_of(features, pictures, share, seed=0):
    """Feature 5 fires on nothing, few others on much; pictures have numbers of their own."""
    rng = torch.Generator().manual_seed(seed)
    fires_SF = torch.rand(pictures, features, generator=rng) < share
    fires_SF[:, 5] = False
    feature_R = fires_SF.nonzero()[:, 1].int()
    total_R = torch.randint(0, 9, (len(feature_R),), generator=rng)
    embedding_SE = torch.randn(pictures, 6, generator=rng)
    return Pool(torch.arange(pictures) * 3, embedding_SE, fires_SF.sum(1).int(), feature_R, total_R)


def in_blocks(monkeypatch, size, pool, features) -> Related:
    monkeypatch.setattr(module, "BLOCK", size)
    return related(pool, spec_of(features))


@pytest.mark.parametrize(("features", "pictures", "share"), [(90, 21, 0.2), (40, 8, 0.02)])
def test_the_size_of_blocks_changes_nothing(monkeypatch, features, pictures, share):
    pool = pool_of(features, pictures, share)
    whole = in_blocks(monkeypatch, 1000, pool, features)
    for size in (1, 7, 32):
        cut = in_blocks(monkeypatch, size, pool, features)
        assert torch.equal(cut.negative_FN, whole.negative_FN)
        assert torch.equal(cut.neighbour_FN, whole.neighbour_FN)
        assert torch.equal(cut.share_FN, whole.share_FN)
        torch.testing.assert_close(cut.near_FN, whole.near_FN)


@pytest.mark.parametrize("kinds", [2, 3, 50])
@pytest.mark.parametrize("columns", [3, 5, 200])
def test_of_equal_scores_the_first_come_first(kinds, columns):
    """Few kinds of score: nearly all are ties, at the end of what is found as well."""
    rng = torch.Generator().manual_seed(kinds)
    scores = torch.randint(0, kinds, (40, columns), generator=rng) / 7
    scores[scores == 0] = module._NEVER
    found = module._ranked(scores, 5)
    for row, numbers, values in zip(scores.tolist(), *map(torch.Tensor.tolist, found), strict=True):
        best = sorted(range(columns), key=lambda at, row=row: (-row[at], at))[:5]
        assert values == [row[at] for at in best]
        some = sum(value != module._NEVER for value in values)
        assert numbers[:some] == best[:some]


def test_a_feature_that_fires_on_nothing_has_nothing_related():
    found = related(pool_of(30, 12, 0.3), spec_of(30))
    assert found.negative_FN[5].tolist() == found.neighbour_FN[5].tolist() == [-1] * 4
    assert not (found.neighbour_FN == 5).any()


def test_a_pool_on_which_nothing_fires_relates_nothing():
    found = related(pool_of(30, 12, 0.0), spec_of(30))
    assert (found.negative_FN == -1).all()
    assert (found.neighbour_FN == -1).all()


class Largest(TorchDispatchMode):
    """Notes the size in bytes of the largest tensor that is made."""

    size = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        for one in made if isinstance(made, tuple | list) else (made,):
            if isinstance(one, torch.Tensor):
                self.size = max(self.size, one.numel() * one.element_size())
        return made


def test_no_tensor_is_as_large_as_features_by_features_or_by_pictures(monkeypatch):
    features, pictures = 3000, 200
    pool = pool_of(features, pictures, 0.01)
    with Largest() as largest:
        in_blocks(monkeypatch, 64, pool, features)
    assert largest.size < features * pictures  # a byte for each would be too much
