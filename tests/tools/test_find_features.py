import pytest
import torch

from tools.failures import WontWork
from tools.find_features import EXAMPLES, FindFeaturesArguments, find_features
from tools.labels import KnownLabels, Match
from tools.picture_id import PictureId
from toybox.conversations import ToyboxPictures
from toybox.tags import scene_of
from toybox.vocabulary import CONCEPTS
from toybox.world_draw import draw_scene

pytestmark = pytest.mark.anyio


class Knowing:
    """A CLIP that knows what is in a toybox picture, and nothing of other words."""

    identity = "knowing"

    def of_pictures(self, pictures):
        shown = [draw_scene(scene_of(picture)).concepts() for picture in pictures]
        return torch.tensor([[float(c in concepts) for c in CONCEPTS] for concepts in shown])

    def of_texts(self, texts):
        return torch.tensor([[float(c.label == text) for c in CONCEPTS] for text in texts])


async def test_words_find_the_features_whose_labels_share_them(lab):
    lab.labels = KnownLabels({3: "red umbrellas", 5: "the umbrella", 8: "red car", 9: "a dog"})
    found = await find_features.call(lab, FindFeaturesArguments(words="Red umbrella"))
    assert [(one.feature, one.label) for one in found.found] == [
        (3, "red umbrellas"),
        (5, "the umbrella"),
        (8, "red car"),
    ]
    assert found.found[0].score == 1
    assert found.how == "labels"


async def test_the_count_limits_labels(lab):
    lab.labels = KnownLabels(dict.fromkeys(range(9), "cat"))
    found = await find_features.call(lab, FindFeaturesArguments(words="cats", count=4))
    assert [one.feature for one in found.found] == [0, 1, 2, 3]


async def test_without_labels_nothing_is_found_and_nothing_is_made_up(lab):
    found = await find_features.call(lab, FindFeaturesArguments(words="umbrella"))
    assert found.found == ()


def test_a_match_is_scored_by_the_share_of_words_in_common():
    labels = KnownLabels({1: "red wooden chair", 2: "chair"})
    assert labels.search("a chair", 5) == [
        Match(2, "chair", 1.0),
        Match(1, "red wooden chair", 1 / 3),
    ]


@pytest.mark.parametrize("concept", ["umbrella", "glass", "tree"])
async def test_words_find_features_through_pictures_that_show_them(make_lab, feature_of, concept):
    lab = make_lab(clip=Knowing())
    found = await find_features.call(lab, FindFeaturesArguments(words=concept, by="pictures"))
    assert found.found[0].feature == feature_of(concept)
    assert len(found.pictures) == EXAMPLES


async def test_words_that_fit_no_picture_more_than_another_find_nothing(make_lab):
    lab = make_lab(clip=Knowing())
    found = await find_features.call(lab, FindFeaturesArguments(words="justice", by="pictures"))
    assert found.found == ()


async def test_one_picture_is_too_few_to_compare(make_lab, world):
    class One(ToyboxPictures):
        digest = world.pictures["explore"].digest

    lab = make_lab(clip=Knowing(), pictures={"explore": One("explore", 1)})
    with pytest.raises(WontWork, match="nothing to compare"):
        await find_features.call(lab, FindFeaturesArguments(words="tree", by="pictures"))


async def test_an_example_finds_what_fires_there_more_than_usual(world, lab):
    found = await find_features.call(
        lab, FindFeaturesArguments(picture=PictureId(number=11), count=200)
    )
    index = world.indexes["explore"]
    values = world.observer.values(lab.picture("explore", 11))
    for one in found.found:
        own = values[:, one.feature]
        usual = index.feature(one.feature).mean
        assert one.score == pytest.approx(own[own > 0].mean() / usual, rel=1e-5)
        assert one.picture_rate < 0.5
    scores = [one.score for one in found.found]
    assert scores == sorted(scores, reverse=True)
    assert found.how == "example"


async def test_an_example_may_be_from_another_split(lab):
    arguments = FindFeaturesArguments(picture=PictureId(number=3, split="validate"))
    assert (await find_features.call(lab, arguments)).found


@pytest.mark.parametrize("arguments", [{}, {"words": "cat", "picture": {"number": 1}}])
def test_it_needs_words_or_a_picture(arguments):
    with pytest.raises(WontWork, match="either words or a picture"):
        find_features.parse(arguments)
