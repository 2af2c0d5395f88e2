import pytest
import torch

from sae_core.coders.coder import CoderConfig, SparseCoder
from sae_core.errors import UserError
from sae_core.index.build import build_index
from sae_core.index.harvest import Numbered
from sae_core.index.observer import LmmObserver, monosemanticity, source_of, spec_of
from sae_core.index.query import Index
from sae_core.lmm.adapter import adapter_for
from sae_core.pictures.stored import StoredPictures
from tests.sae_core.small_models import BUILDERS, noise


@pytest.fixture(scope="module")
def adapter():
    return adapter_for(*BUILDERS["llava-next"]())


def coder_of(width=16, seed=0):
    torch.manual_seed(seed)
    return SparseCoder(CoderConfig(width=width, features=40, k=4, hook="layers.1"))


@pytest.fixture
def shown(tmp_path):
    folder = tmp_path / "shown"
    folder.mkdir()
    for number in range(9):
        noise(24, 24, number).save(folder / f"{number}.png")
    return StoredPictures(folder, tmp_path / "kept")


def test_an_index_is_built_from_a_folder_through_a_model(adapter, shown, tmp_path):
    seeing = LmmObserver(adapter, coder_of(), "layers.1", "small")
    out = tmp_path / "index"
    build_index(out, spec_of(seeing, shown), source_of(seeing, shown, at_once=4))
    index = Index.open(out, coder=seeing.digest, model="small", hook="layers.1")
    fired = torch.zeros(40)
    for number in range(9):
        x = seeing.observe([Numbered(number, shown.picture(number))]).code
        fired += (x.dense(40)[0] > 0).any(0)
    for feature in range(40):
        assert index.feature(feature).fires_on == fired[feature]


def test_an_index_of_another_coder_is_refused_naming_both(adapter, shown, tmp_path):
    one, other = (LmmObserver(adapter, coder_of(seed=s), "layers.1", "small") for s in (0, 1))
    out = tmp_path / "index"
    build_index(out, spec_of(one, shown), source_of(one, shown))
    with pytest.raises(UserError, match=f"(?s){one.digest}.*{other.digest}"):
        Index.open(out, coder=other.digest)


def test_the_digest_names_weights_and_config(adapter):
    one, same, other = (
        LmmObserver(adapter, coder_of(seed=s), "layers.1", "small").digest for s in (0, 0, 1)
    )
    assert one == same != other


def test_a_coder_of_another_width_is_refused(adapter):
    with pytest.raises(UserError, match="8 wide"):
        LmmObserver(adapter, coder_of(width=8), "layers.1", "small")


def test_monosemanticity_scores_pictures_by_the_peak_of_each_feature(adapter, shown):
    seeing = LmmObserver(adapter, coder_of(), "layers.1", "small")

    def embed(pictures):
        return torch.stack(
            [torch.tensor(list(p.resize((2, 2)).tobytes()[:12])).float() for p in pictures]
        )

    found = monosemanticity(seeing, shown, embed, at_once=4)
    images = [shown.picture(n) for n in range(9)]
    seen = seeing.observe([Numbered(n, i) for n, i in enumerate(images)])
    peaks = seen.code.dense(40).amax(1).double()
    unit = torch.nn.functional.normalize(embed(images).double(), dim=1)
    alike = unit @ unit.T
    for feature in range(40):
        weight = peaks[:, feature, None] * peaks[None, :, feature]
        weight.fill_diagonal_(0)
        if weight.sum() > 0:
            expected = (weight * alike).sum() / weight.sum()
            torch.testing.assert_close(found[feature], expected)
        else:
            assert found[feature].isnan()
