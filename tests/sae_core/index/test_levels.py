"""Levels: what counts as firing is a share of a feature's fifth-best picture, everywhere alike."""

import numpy as np
import pytest
import torch

from sae_core.errors import UserError
from sae_core.index.build import build_index
from sae_core.index.harvest import Numbered
from sae_core.index.levels import (
    Levels,
    StrongObserver,
    levels_of,
    measured,
    read_levels,
    write_levels,
)
from sae_core.index.observer import source_of, spec_of
from sae_core.index.query import Index
from tests.sae_core.index.cases import GRID, case
from tests.sae_core.small_models import noise

CASE = case(pictures=60, features=9)


class Drawn:
    """An observer of a case, and its pictures."""

    digest, model, hook, features = "c0de", "toy", "layers.2", 9

    def observe(self, pictures):
        return CASE.batch([shown.number for shown in pictures])

    def __len__(self):
        return len(CASE.z_NPF)

    def picture(self, number):
        return noise(4, 4, number)


@pytest.fixture(scope="module")
def levels():
    return measured(CASE.source(), 60, 9, 0.5)


def test_a_level_is_a_share_of_what_the_fifth_best_picture_reaches(levels):
    fifth = np.sort(CASE.peaks(), 1)[:, -5]
    np.testing.assert_array_equal(levels.level_F, 0.5 * fifth)
    np.testing.assert_allclose(levels.rate_F, (CASE.peaks() > 0).mean(1), atol=1e-6)


def test_a_feature_that_fires_on_fewer_than_five_pictures_has_no_level():
    alone = CASE._replace(z_NPF=CASE.z_NPF * (torch.arange(60) < 4)[:, None, None])
    assert not measured(alone.source(), 60, 9, 0.5).level_F.any()


def test_an_index_with_levels_holds_just_what_reaches_them(levels, tmp_path):
    strong = StrongObserver(Drawn(), levels)
    spec = spec_of(strong, Drawn(), levels=levels_of(strong), top=5, sample=60)
    build_index(tmp_path, spec, source_of(strong, Drawn()))
    index = Index.open(tmp_path, levels=levels.digest)
    left = np.where(CASE.z_NPF >= levels.level_F, CASE.z_NPF, 0)
    for feature in range(9):
        record = index.feature(feature)
        assert record.fires_on == (left[:, :, feature].max(1) > 0).sum()
        assert {shown.picture for shown in record.sample} == set(
            np.flatnonzero(left[:, :, feature].max(1)).tolist()
        )
        for shown in record.sample:
            np.testing.assert_array_equal(
                shown.map_RC, left[shown.picture, :, feature].reshape(GRID)
            )
    assert (left > 0).sum() < (CASE.z_NPF > 0).sum(), "the levels leave something out"


def test_an_index_of_other_levels_is_refused(levels, tmp_path):
    build_index(tmp_path, spec_of(Drawn(), Drawn(), top=5), source_of(Drawn(), Drawn()))
    assert levels_of(Drawn()) == ""
    with pytest.raises(UserError, match="was built for levels , not for"):
        Index.open(tmp_path, levels=levels.digest)


def test_levels_come_back_as_they_were_written(levels, tmp_path):
    write_levels(levels, tmp_path / "deep" / "levels.safetensors")
    again = read_levels(tmp_path / "deep" / "levels.safetensors")
    assert again.digest == levels.digest
    assert again.share == 0.5
    assert torch.equal(again.rate_F, levels.rate_F)
    (tmp_path / "broken").write_bytes(b"no levels")
    with pytest.raises(UserError, match="holds no levels"):
        read_levels(tmp_path / "broken")


def test_levels_of_another_coder_are_refused():
    with pytest.raises(UserError, match="levels of 3 features, the coder has 9"):
        StrongObserver(Drawn(), Levels(torch.zeros(3), torch.zeros(3), 0.5))


def test_the_observer_keeps_what_is_at_hand_and_its_order(levels):
    seen = StrongObserver(Drawn(), levels).observe([Numbered(n, noise(4, 4, n)) for n in (7, 3)])
    assert seen.picture_B.tolist() == [7, 3]
    dense = seen.code.dense(9)
    whole = CASE.z_NPF[[7, 3]]
    assert torch.equal(dense, torch.where(whole >= levels.level_F, whole, 0))
