import numpy as np
import pytest

from sae_core.index.harvest import Numbered
from tools.evidence import FIRING, SILENT, Evidence
from tools.failures import WontWork
from tools.top_images import TopImagesArguments, top_images
from toybox.conversations import ToyboxPictures

pytestmark = pytest.mark.anyio


def truth(world, split, numbers, feature):
    """What the observer itself says of the feature in each cell [pictures, cells]."""
    shown = [Numbered(n, world.pictures[split].picture(n)) for n in numbers]
    return world.observer.observe(shown).code.dense(world.observer.features)[:, :, feature].numpy()


@pytest.fixture(params=["umbrella", "red color or purple color", "nothing", "a city"])
def feature(request, feature_of):
    return feature_of(request.param)


def test_it_fires_as_told_on_firing_pictures_and_is_silent_on_negatives(
    world, lab, evidence_of, feature
):
    _, evidence = evidence_of(lab, feature)
    values = truth(world, "explore", [one.picture for one in evidence.sightings], feature)
    for own, sighting in zip(values, evidence.sightings, strict=True):
        np.testing.assert_allclose(sighting.map_RC(evidence.grid).ravel(), own)
        assert (sighting.group in FIRING) == bool(own.any())
        assert sighting.mean == pytest.approx(own.mean(), abs=1e-5)


def test_no_picture_is_in_two_groups(lab, evidence_of, feature):
    _, evidence = evidence_of(lab, feature, top=8, per_quantile=8, negatives=16)
    pictures = [one.picture for one in evidence.sightings]
    assert len(set(pictures)) == len(pictures)


def test_the_top_by_mean_are_the_strongest_of_all_pictures(world, lab, evidence_of, feature_of):
    feature = feature_of("umbrella")
    _, evidence = evidence_of(lab, feature, top=3)
    means = truth(world, "explore", range(300), feature).mean(1)
    found = [one.mean for one in evidence.of("top_by_mean")]
    np.testing.assert_allclose(found, np.sort(means)[::-1][:3], rtol=1e-4)


def test_quantiles_come_weakest_first(lab, evidence_of, feature_of):
    _, evidence = evidence_of(lab, feature_of("red color or purple color"), top=0)
    drawn = evidence.of("quantile")
    assert [one.quantile for one in drawn] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert max(o.mean for o in drawn[:2]) <= min(o.mean for o in drawn[-2:])


def test_negatives_of_all_kinds_are_found_where_there_are_enough(lab, evidence_of, feature_of):
    _, evidence = evidence_of(lab, feature_of("umbrella"), negatives=6)
    wanted = dict.fromkeys(SILENT, 6) | {"fitting": 0, "rival": 0}  # these are of labels
    assert {group: len(evidence.of(group)) for group in SILENT} == wanted


def test_a_feature_on_few_pictures_is_short_and_nothing_is_made_up(
    world, lab, evidence_of, feature_of
):
    feature = feature_of("hat together with a kitchen")
    _, evidence = evidence_of(lab, feature)
    fires = truth(world, "explore", range(300), feature).any(1)
    assert evidence.short
    assert {one.picture for one in evidence.of(*FIRING)} == set(np.flatnonzero(fires))


def test_a_feature_that_never_fires_has_negatives_only(lab, evidence_of, feature_of):
    _, evidence = evidence_of(lab, feature_of("roof together with cat"))
    assert evidence.fires_on == 0
    assert {one.group for one in evidence.sightings} == {"random"}


async def test_the_result_counts_what_the_document_holds(lab, feature_of):
    found = await top_images.call(lab, TopImagesArguments(feature=feature_of("a city"), top=4))
    evidence = lab.artefacts.document(found.evidence, Evidence)
    assert sum(found.pictures.values()) == len(evidence.sightings)
    assert all(len(evidence.of(group)) == n for group, n in found.pictures.items())
    assert (found.fires_on, found.size) == (evidence.fires_on, 300)
    assert found.neighbours


async def test_the_same_call_makes_the_same_document_and_another_seed_another(make_lab, feature_of):
    arguments = TopImagesArguments(feature=feature_of("a city"))
    one, again, other = [
        (await top_images.call(make_lab(seed=seed), arguments)).evidence for seed in (0, 0, 1)
    ]
    assert one == again != other


async def test_a_sealed_split_stays_sealed(lab):
    with pytest.raises(WontWork, match="sealed"):
        await top_images.call(lab, TopImagesArguments(feature=0, split="test"))


async def test_a_feature_that_is_not_there_is_named(lab):
    with pytest.raises(WontWork, match="No feature 100 in this SAE: it has 100"):
        await top_images.call(lab, TopImagesArguments(feature=100))


async def test_an_index_of_other_pictures_is_refused(make_lab):
    lab = make_lab(pictures={"explore": ToyboxPictures("explore", 20)})
    with pytest.raises(WontWork, match="index of explore was built from pictures"):
        await top_images.call(lab, TopImagesArguments(feature=0))
