"""What an index says of a feature, against a dense reference; and that it reads only its rows."""

import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sae_core.errors import UserError
from sae_core.index.arrays import Arrays, Stored
from sae_core.index.bins import BINS, edges
from sae_core.index.build import build_index, build_part
from sae_core.index.draw import lots
from sae_core.index.pairs import kept, no_pairs
from sae_core.index.part import merged
from sae_core.index.query import Index
from sae_core.index.spec import IndexSpec
from sae_core.index.stats import bins_of
from sae_core.index.tally import Tally
from tests.sae_core.index.cases import CELLS, GRID, case, spec

CASE = case(pictures=60, features=9)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("index")
    build_index(folder, spec(CASE), CASE.source(), shard=25)
    return folder


@pytest.fixture(scope="module")
def index(folder):
    return Index.open(folder)


def _ranked(score_N: np.ndarray) -> list[int]:
    """The pictures that have any, the best first, of equal ones the smaller number."""
    return [int(n) for n in np.lexsort((np.arange(len(score_N)), -score_N)) if score_N[n] > 0]


FEATURES = range(9)


@pytest.mark.parametrize("feature", FEATURES)
def test_top_pictures_are_those_of_a_dense_ranking(index, feature):
    record = index.feature(feature)
    by_mean, by_peak = _ranked(CASE.totals()[feature]), _ranked(CASE.peaks()[feature])
    assert [shown.picture for shown in record.top_by_mean] == by_mean[:5]
    assert [shown.picture for shown in record.top_by_max] == by_peak[:5]


@pytest.mark.parametrize("feature", FEATURES)
def test_every_kept_picture_has_its_exact_mean_peak_and_map(index, feature):
    record = index.feature(feature)
    for shown in (*record.top_by_mean, *record.top_by_max, *record.sample):
        z_P = CASE.z_NPF[shown.picture, :, feature].numpy()
        np.testing.assert_array_equal(shown.map_RC, z_P.reshape(GRID))
        assert shown.mean == z_P.astype(float).mean()
        assert shown.peak == z_P.max()


@pytest.mark.parametrize("feature", FEATURES)
def test_rates_mean_and_peak_are_those_of_the_dense_codes(index, feature):
    record, z_NP = index.feature(feature), CASE.z_NPF[..., feature].double().numpy()
    assert record.fires_on == (z_NP > 0).any(1).sum()
    assert record.picture_rate == (z_NP > 0).any(1).mean()
    assert record.token_rate == (z_NP > 0).mean()
    assert record.mean == (z_NP[z_NP > 0].mean() if feature else 0)
    assert record.peak == z_NP.max()


def test_rates_and_means_of_all_features_are_those_of_their_records(index):
    records = [index.feature(feature) for feature in FEATURES]
    assert index.picture_rates().tolist() == [record.picture_rate for record in records]
    assert index.token_rates().tolist() == [record.token_rate for record in records]
    assert index.means().tolist() == [record.mean for record in records]


@pytest.mark.parametrize("feature", FEATURES)
def test_the_histogram_is_that_of_the_dense_codes(index, feature):
    z = CASE.z_NPF[..., feature].numpy()
    histogram = index.feature(feature).histogram
    wanted, _ = np.histogram(z[z > 0], histogram.edges_H1)
    np.testing.assert_array_equal(histogram.counts_H, wanted)


@given(st.floats(2.0**-17, 2.0**12, width=32))
def test_an_activation_falls_between_the_edges_of_its_bin(value):
    at = int(bins_of(torch.tensor([value])))
    assert edges()[at] <= value < edges()[at + 1]


@pytest.mark.parametrize(("value", "wanted"), [(1e-30, 0), (1e30, BINS - 1)])
def test_an_activation_beyond_the_edges_counts_in_the_outermost_bin(value, wanted):
    assert int(bins_of(torch.tensor([value]))) == wanted


@pytest.mark.parametrize("feature", FEATURES)
def test_the_sample_holds_the_firing_pictures_with_the_smallest_lots(index, feature):
    fires = torch.tensor(_ranked(CASE.totals()[feature]), dtype=torch.int64)
    wanted = fires[lots(0, fires).argsort()][:4].tolist()
    sample = index.feature(feature).sample
    assert sorted(shown.picture for shown in sample) == sorted(wanted)
    assert [shown.mean for shown in sample] == sorted(shown.mean for shown in sample)


def test_another_seed_draws_other_pictures():
    picture_N = torch.arange(1000)
    first = [set(lots(seed, picture_N).argsort()[:100].tolist()) for seed in (0, 1)]
    assert len(first[0] & first[1]) < 30


@pytest.mark.parametrize("seed", [0, 1, 2**62])
def test_lots_favour_no_picture(seed):
    drawn = lots(seed, torch.arange(100_000)).argsort()[:10_000]
    assert drawn.bincount(minlength=100_000).view(10, -1).sum(1).tolist() == pytest.approx(
        [1000] * 10, abs=150
    )


def test_lots_are_the_known_ones_on_every_machine():
    # The same sums in whole numbers without a limit; splitmix64 from 0 begins 0xe220a8397b1dcdaf.
    assert lots(0, torch.tensor([0, 1, 2**39])).tolist() == [
        8147104208329303767,
        7602086088874765910,
        4326005933205234887,
    ]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7])
def test_quantiles_cut_the_sample_in_order_and_lose_none(index, count):
    record = index.feature(8)
    parts = record.quantiles(count)
    assert len(parts) == count
    assert [shown.picture for part in parts for shown in part] == [
        shown.picture for shown in record.sample
    ]
    sizes = [len(part) for part in parts]
    assert max(sizes) - min(sizes) <= 1


def test_a_level_is_a_quantile_of_the_samples_lit_cells(index):
    record = index.feature(8)
    cells = np.sort(np.concatenate([s.map_RC[s.map_RC > 0] for s in record.sample]))
    assert record.level(0) == cells[0]
    assert record.level(0.5) == cells[int(np.ceil(len(cells) / 2)) - 1]
    assert record.level(1) == cells[-1]


def _pool() -> list[int]:
    return sorted(lots(0, torch.arange(60)).argsort()[:12].tolist())


@pytest.mark.parametrize("feature", FEATURES)
def test_negatives_are_the_nearest_of_the_silent_pictures_of_the_pool(index, feature):
    pool = _pool()
    total = CASE.totals()[feature][pool]
    e = CASE.embedding_NE[pool].double().numpy()
    e = e - e.mean(0)
    e /= np.linalg.norm(e, axis=1, keepdims=True)
    own = total @ e
    near = e @ own / (np.linalg.norm(own) or 1)
    order = [i for i in np.argsort(-near) if total[i] == 0][:3] if total.any() else []
    found = index.feature(feature).negatives
    assert [negative.picture for negative in found] == [pool[i] for i in order]
    np.testing.assert_allclose([negative.near for negative in found], near[order], atol=1e-5)


@pytest.mark.parametrize("feature", FEATURES)
def test_neighbours_share_most_pictures_of_the_pool(index, feature):
    fires = CASE.totals()[:, _pool()] > 0
    both = (fires & fires[feature]).sum(1)
    share = both / np.maximum((fires | fires[feature]).sum(1), 1)
    share[feature] = 0
    wanted = _ranked(share)[:3]
    found = index.feature(feature).neighbours
    assert [neighbour.feature for neighbour in found] == wanted
    np.testing.assert_allclose([neighbour.share for neighbour in found], share[wanted], rtol=1e-6)


def test_a_feature_that_never_fires_has_nothing_to_show(index):
    record = index.feature(0)
    assert record.short
    assert (record.fires_on, record.mean, record.peak, record.level(0.5)) == (0, 0, 0, 0)
    assert not any((record.top_by_mean, record.top_by_max, record.sample))
    assert not any((record.negatives, record.neighbours))


@pytest.mark.parametrize("pictures", [1, 4, 5])
def test_a_feature_on_few_pictures_shows_only_those_and_says_so(tmp_path, pictures):
    z_NPF = torch.zeros(30, CELLS, 3)
    z_NPF[7 : 7 + pictures, 2, 1] = 1
    few = CASE._replace(z_NPF=z_NPF, embedding_NE=CASE.embedding_NE[:30])
    build_index(tmp_path, spec(few), few.source())
    record = Index.open(tmp_path).feature(1)
    wanted = list(range(7, 7 + pictures))
    assert [shown.picture for shown in record.top_by_mean] == wanted
    assert [shown.picture for shown in Index.open(tmp_path).paper_top5(1)] == wanted
    assert record.short == (pictures < 5)


@settings(max_examples=20)
@given(st.integers(0, 2**20))
def test_the_papers_five_are_the_first_five_by_mean_over_all_cells(seed):
    rng = torch.Generator().manual_seed(seed)
    z_NPF = torch.rand(30, CELLS, 6, generator=rng) * 9
    z_NPF *= torch.rand(z_NPF.shape, generator=rng) < 0.3
    random = CASE._replace(z_NPF=z_NPF, embedding_NE=torch.zeros(30, 2))
    tally = Tally(spec(random))
    for batch in random.source()(range(30)):
        tally.add(batch)
    pairs = tally.part(range(30)).pairs
    for feature in range(6):
        mean_N = z_NPF[..., feature].double().mean(1)
        mine = pairs.feature_M == feature
        total_M, picture_M = pairs.total_M[mine], pairs.picture_M[mine]
        found = picture_M[total_M.argsort(descending=True, stable=True)][:5]
        assert found.tolist() == mean_N.topk(5).indices.tolist()


@pytest.mark.parametrize("feature", [-1, 9])
def test_a_feature_out_of_range_is_refused_as_everywhere(index, feature):
    with pytest.raises(UserError, match=rf"No feature {feature} in this SAE: it has 9 \(0 to 8\)"):
        index.feature(feature)


@pytest.mark.parametrize(
    ("wanted", "named"),
    [
        ({"coder": "beef"}, "SAE c0de, not for beef"),
        ({"model": "llava"}, "model toy, not for llava"),
        ({"hook": "layers.3"}, r"hook layers\.2, not for layers\.3"),
    ],
)
def test_an_index_for_something_else_is_refused_with_both_sides_named(folder, wanted, named):
    with pytest.raises(UserError, match=named):
        Index.open(folder, **wanted)


def test_an_index_for_what_is_asked_opens(folder):
    assert Index.open(folder, coder="c0de", model="toy", hook="layers.2").spec == spec(CASE)


def test_a_missing_index_is_named(tmp_path):
    with pytest.raises(UserError, match=r"No index at .*Try lmmscope index build"):
        Index.open(tmp_path)


def test_an_unfinished_index_is_named(tmp_path):
    build_part(tmp_path, spec(CASE), CASE.source(), range(10))
    with pytest.raises(UserError, match="unfinished"):
        Index.open(tmp_path)


def test_a_damaged_index_is_named(folder, tmp_path):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "value_C.npy").unlink()
    with pytest.raises(UserError, match=r"damaged: .*value_C\.npy"):
        Index.open(tmp_path)


def test_an_index_of_a_later_format_is_refused(folder, tmp_path):
    head = (folder / "index.json").read_text().replace('"format": 1', '"format": 2')
    (tmp_path / "index.json").write_text(head)
    with pytest.raises(UserError, match="has index format 2, this version reads 1"):
        Index.open(tmp_path)


def test_one_of_131072_features_is_read_in_under_10_ms(tmp_path):
    """The quickest of 64 reads, 8 of each of 8 features, in CPU time of the reading thread.

    That is the work of reading a feature's rows once they are in memory, about 0.3 ms. Reading has
    no other threads, and what runs beside it is not counted. Each feature's first read is slower by
    what the kernel takes to fill pages for the holes in these hollow files, 3 to 60 ms as load has
    it. Whoever reads more than the feature's rows takes longer than 10 ms every time: there are
    256 MB of the smallest array with a row for each pair.
    """
    features, pairs, lit, size = 1 << 17, 256, 100, 46_684
    wanted = IndexSpec(
        coder="c", features=features, model="m", hook="h", pictures="p", size=size, grid=(24, 24)
    )
    # One more than there are pairs, as cells_from_M has.
    lengths = {"M": features * pairs + 1, "C": features * pairs * lit}

    def hollow(name: str) -> np.ndarray:
        shape = {"H": (features, BINS), "N": (features, 8)}.get(name[-1], (features,))
        shape = (lengths[name[-1]],) if name[-1] in lengths else shape
        kind = np.int16 if name == "cell_C" else np.float32 if name[0] in "nv" else np.int64
        return np.memmap(tmp_path / name, kind, "w+", shape=shape)

    arrays = Arrays(*(
        np.arange(features + 1) * pairs if name == "pairs_from_F" else hollow(name)
        for name in Arrays._fields
    ))  # fmt: skip
    asked = range(0, features, features // 8)
    for feature in asked:
        rows = np.arange(feature * pairs, (feature + 1) * pairs + 1)
        arrays.cells_from_M[rows] = rows * lit
    index, took = Index(Stored(wanted, arrays)), []
    for feature in [*asked] * 8:
        start = time.thread_time()
        index.feature(feature)
        took.append(time.thread_time() - start)
    assert min(took) < 0.01


def test_a_feature_without_pairs_between_two_with_some_keeps_its_place():
    tally = Tally(spec(CASE))
    tally.add(CASE.batch(list(range(60))))
    part = tally.part(range(60))
    assert kept([no_pairs(), part.pairs], part.spec).pairs.feature_M.unique().tolist() == [
        feature for feature in FEATURES if CASE.totals()[feature].any()
    ]
    assert merged([part]).pairs.feature_M.tolist() == part.pairs.feature_M.tolist()
