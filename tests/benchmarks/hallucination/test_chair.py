"""CHAIR: which objects captions name, COCO's layout, published measures, and the toybox's truth."""

import json
import tomllib

import numpy as np
import pytest

from benchmarks.hallucination.chair import Chair, Depicted, Named, measures
from benchmarks.hallucination.chair_data import copy_in
from benchmarks.hallucination.chair_toybox import LEXICON, depicted, without_writing
from benchmarks.hallucination.mentions import SHIPPED, Lexicon, listed, shipped
from sae_core.errors import UserError
from toybox.world_draw import draw_scene
from toybox.world_splits import fresh_scene
from toybox.world_text import caption

CATEGORIES = [
    {"id": 1, "name": "person"},
    {"id": 18, "name": "dog"},
    {"id": 67, "name": "dining table"},
]
FILES = {7: "COCO_val2014_000000000007.jpg", 9: "COCO_val2014_000000000009.jpg"}


@pytest.fixture
def coco(tmp_path, draw):
    """COCO's annotations and pictures."""
    instances = {
        "categories": CATEGORIES,
        "images": [{"id": number, "file_name": name} for number, name in FILES.items()],
        "annotations": [
            {"image_id": 7, "category_id": 1},
            {"image_id": 7, "category_id": 1},
            {"image_id": 9, "category_id": 67},
        ],
    }
    captions = {
        "images": instances["images"],
        "annotations": [
            {"image_id": 7, "caption": "A man throws a frisbee to his puppy."},
            {"image_id": 9, "caption": "A desk with two mugs."},
        ],
    }
    (tmp_path / "annotations").mkdir()
    for kind, document in (("instances", instances), ("captions", captions)):
        path = tmp_path / "annotations" / f"{kind}_val2014.json"
        path.write_text(json.dumps(document))
    for number, name in FILES.items():
        draw(tmp_path / "val2014" / name, number)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Two women ride horses.", ("person", "horse")),
        ("a dog, two DOGS and a hot dog", ("dog", "dog", "hot dog")),
        ("a teddy bear beside a bear", ("teddy bear", "bear")),
        ("a baby elephant and a baby", ("elephant", "person")),
        ("the seat of a toilet, and a chair", ("toilet", "chair")),
        ("a toilet seat", ("toilet",)),
        ("a seat", ("chair",)),
        ("buses, knives, couches and skis", ("bus", "knife", "couch", "skis")),
        ("three wine glasses", ("wine glass",)),
        ("a train track by the home plate", ()),
        ("a passenger jet over the carpet", ("airplane",)),
        ("scattered catalogues", ()),
    ],
)  # fmt: skip
def test_captions_name_cocos_objects(text, named):
    assert shipped().mentions(text) == named


def test_the_list_has_cocos_80_objects_and_no_name_twice():
    objects = tomllib.loads(SHIPPED.read_text())["objects"]
    assert len(objects) == 80
    names = [name for thing, others in objects.items() for name in (thing, *others)]
    assert len(names) == len(set(names))


def test_a_published_list_is_used_as_it_is(tmp_path):
    path = tmp_path / "synonyms.txt"
    path.write_text("person, girl, man\ndog, puppy\n\ncow, calf\n")
    found = listed(path)
    assert found.mentions("a man with a puppy and a baby cow") == ("person", "dog", "cow")
    assert found.mentions("a woman") == ()
    path.write_text("\n")
    with pytest.raises(UserError, match="names no objects"):
        listed(path)


def test_cocos_layout(coco):
    found = copy_in(coco, 10, 0)
    assert [one.there for one in found.depicted] == [
        {"person", "frisbee", "dog"},
        {"dining table", "cup"},
    ]
    assert found.depicted[0].picture.digest != found.depicted[1].picture.digest
    assert len(copy_in(coco, 1, 0).depicted) == 1


def test_a_list_without_one_of_cocos_categories_is_refused(coco):
    (coco / "synonyms.txt").write_text("person, man\ndog\n")
    with pytest.raises(UserError, match="'dining table' is not in synonyms"):
        copy_in(coco, 10, 0)


def test_what_is_missing_is_named_in_one_line(coco):
    (coco / "val2014" / FILES[9]).unlink()
    with pytest.raises(UserError, match=f"no picture {FILES[9]}"):
        copy_in(coco, 10, 0)
    (coco / "annotations" / "captions_val2014.json").write_text("{}")
    with pytest.raises(UserError, match=r"captions_val2014\.json has not all of annotations"):
        copy_in(coco, 10, 0)
    (coco / "annotations" / "captions_val2014.json").unlink()
    with pytest.raises(UserError, match=r"no captions_val2014\.json.*annotations_trainval") as told:
        copy_in(coco, 10, 0)
    assert "\n" not in str(told.value)


def test_the_measures_are_those_worked_out_by_hand():
    first = Named(("person", "dog", "hot dog", "dog"), frozenset({"person", "dog", "cup"}))
    second = Named(("cat",), frozenset({"cat"}))
    found = measures([first, second], 0)
    assert {name: one.value for name, one in found.items()} == pytest.approx(
        {"CHAIRi": 1 / 5, "CHAIRs": 1 / 2, "recall": 3 / 4}
    )
    assert {one.n for one in found.values()} == {2}


def test_captions_that_name_nothing_have_no_chair_i():
    found = measures([Named((), frozenset({"cat"}))], 0)
    assert found["CHAIRi"] is None
    assert found["CHAIRs"].value == found["recall"].value == 0


def test_a_true_caption_of_the_toybox_has_no_hallucination():
    scenes = [fresh_scene(4, index, "natural") for index in range(40)]
    all_ = depicted(4, 40)
    task = Chair(all_, LEXICON, (), instruction="?", tokens=8, bare=without_writing)
    true = [caption(scene) for scene in scenes]
    # What is hidden behind other things is in the scene and its caption, yet is not seen.
    seen = [
        one.there == {thing.kind for thing in scene.shown}
        for one, scene in zip(all_, scenes, strict=True)
    ]
    assert task.right_N(true)[seen].all()
    assert np.mean(seen) > 0.8
    ill = [caption(scene, unseen=True) for scene in scenes]
    expected = [not scene.unseen for scene in scenes]
    assert task.right_N(ill)[seen].tolist() == list(np.array(expected)[seen])
    assert not all(expected)


def test_words_on_signs_name_nothing():
    said = "a beach with a red sign that says fish and a blue boat."
    assert LEXICON.mentions(without_writing(said)) == ("sign", "boat")


def test_the_toyboxs_pictures_are_those_of_the_seed():
    (first, _) = depicted(8, 2)
    assert isinstance(first, Depicted)
    expected = draw_scene(fresh_scene(8, 0, "natural")).image()
    assert first.picture.read().tobytes() == expected.tobytes()


def test_the_lexicon_prefers_longer_names():
    found = Lexicon({"table": (), "tennis table": (), "dog": ("big brown dog",)})
    assert found.mentions("a big brown dog on a tennis table") == ("dog", "tennis table")
