from collections import Counter

import numpy as np
import pytest
from PIL import Image

from sae_core.errors import UserError
from sae_core.index.harvest import Numbered
from toybox.conversations import ToyboxConversations, ToyboxPictures
from toybox.evidence import cells_of
from toybox.planted import COUNTS, PlantedObserver, plant
from toybox.tags import png_info, scene_of, tagged
from toybox.vocabulary import concept
from toybox.world_draw import draw_scene
from toybox.world_splits import split

PICTURES = 40
picture = ToyboxPictures("explore", 300).picture


@pytest.fixture(scope="module")
def observed():
    observer = PlantedObserver(3)
    shown = [Numbered(i, picture(i)) for i in range(PICTURES)]
    return observer, observer.observe(shown).code.dense(observer.features).numpy()


def test_a_set_has_so_many_of_each_rule_and_a_seed_fixes_it():
    assert Counter(feature.rule for feature in plant(1)) == COUNTS
    assert plant(1) == plant(1)
    assert plant(1) != plant(2)


def test_features_fire_where_the_renderer_says_so_and_nowhere_else(observed):
    observer, values = observed
    checked = 0
    for number in range(PICTURES):
        drawn = draw_scene(split("explore").scene(number))
        present = set(drawn.concepts())
        for j, feature in enumerate(observer.planted):
            if feature.rule == "noise":
                continue
            one, two = feature.first in present, feature.second in present
            wanted = {"single": one, "or": one or two, "and": one and two}.get(
                feature.rule, one and not two
            )
            assert bool(values[number, :, j].any()) == wanted, feature
            shown = [c for c in (feature.first, feature.second) if c in present]
            cells = sum(cells_of(drawn.mask(c)).astype(int) for c in shown)
            assert not (values[number, :, j] > 0)[np.asarray(cells) == 0].any()
            checked += wanted
    assert checked > 50


def test_noise_means_nothing_but_repeats_itself(observed):
    observer, values = observed
    noise = [j for j, feature in enumerate(observer.planted) if feature.rule == "noise"]
    fires = values[:, :, noise].any(1).mean()
    assert 0 < fires < 0.2
    again = observer.values(picture(5))[:, noise]
    np.testing.assert_array_equal(again, values[5][:, noise])


def test_a_covered_concept_no_longer_fires():
    observer = PlantedObserver(0)
    singles = {f.first: j for j, f in enumerate(observer.planted) if f.rule == "single"}
    for number in range(200):
        drawn = draw_scene(split("explore").scene(number))
        found = [c for c in drawn.concepts() if c in singles and c.group == "object"]
        if found:
            break
    image, j = tagged(drawn), singles[found[0]]
    assert observer.values(image)[:, j].any()
    covered = Image.fromarray(
        np.where(drawn.mask(found[0])[..., None], 255 - drawn.pixels_HW3, drawn.pixels_HW3)
    )
    covered.info = image.info
    before, after = observer.values(image)[:, j], observer.values(covered)[:, j]
    assert after.sum() < 0.5 * before.sum()


def test_a_picture_remembers_its_scene_in_a_file(tmp_path):
    image = picture(4)
    image.save(tmp_path / "p.png", pnginfo=png_info(image))
    with Image.open(tmp_path / "p.png") as read:
        assert scene_of(read) == split("explore").scene(4)


@pytest.mark.parametrize("text", ["{}", "no json", '{"place": 3, "things": 4}', "[]"])
def test_a_wrong_tag_is_no_scene(text):
    image = Image.new("RGB", (96, 96))
    image.info["toybox-scene"] = text
    assert scene_of(image) is None


def test_a_picture_without_a_scene_is_refused():
    with pytest.raises(UserError, match="know a picture's scene"):
        PlantedObserver(0).values(Image.new("RGB", (96, 96)))


def test_conversations_are_the_same_each_time_and_never_untrue():
    talks = ToyboxConversations("train", 60)
    assert [t.reply for t in talks] == [talks[i].reply for i in range(60)]
    bare = [t for t in talks if not t.prompt.text]
    assert 5 < len(bare) < 30
    assert all(not t.reply for t in bare)
    for number, talk in enumerate(talks):
        if talk.prompt.text.startswith("is there a") and talk.reply in ("yes", "no"):
            kinds = {t.kind for t in split("train").scene(number).shown}
            noun = talk.prompt.text.removesuffix("?").removesuffix(" in the picture").split()[-1]
            if noun in kinds and len(talk.prompt.text.split()) == 4:
                assert talk.reply == "yes"


def test_the_label_says_what_the_rule_is():
    labels = {f.rule: f.label for f in plant(0)}
    assert " or " in labels["or"]
    assert " together with " in labels["and"]
    assert " without " in labels["and not"]
    assert labels["noise"] == "nothing"
    assert concept("object:car").label == "car"
