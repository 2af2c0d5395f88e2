"""Masks against pixels: what an edit changes in the picture is what the mask says is there."""

import dataclasses
import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sae_core.errors import UserError
from toybox.vocabulary import (
    COLOURS,
    CONCEPTS,
    EMOTIONS,
    FINISHES,
    OBJECTS,
    SCENES,
    WORDS,
    Concept,
)  # fmt: skip
from toybox.world import SIZE, Scene, edit
from toybox.world_draw import MIN_VISIBLE, Picture, draw_scene
from toybox.world_splits import fresh_scene

FEW = settings(max_examples=25)
SEEDS = st.integers(0, 2**20)
INDICES = st.integers(0, 5)


def _scene(seed: int, index: int, kind: str | None = None) -> tuple[Scene, int]:
    """A scene and the place of one of its things in it; the thing is of the kind asked for."""
    scene = fresh_scene(seed)
    index %= len(scene.things)
    return (edit(scene, f"{index}.kind", kind) if kind else scene), index


def _changed(before: Picture, scene: Scene) -> np.ndarray:
    """Where the picture of another scene differs."""
    return (before.pixels_HW3 != draw_scene(scene).pixels_HW3).any(axis=2)


def _tinted(picture: Picture, index: int) -> np.ndarray:
    """The pixels of one thing that take its colour: of that colour, and of that thing."""
    colour = picture.scene.things[index].colour
    return picture.mask(f"color:{colour}") & (picture.thing_HW == index)


@FEW
@given(SEEDS, INDICES, st.sampled_from(COLOURS))
def test_a_new_colour_changes_pixels_and_only_inside_the_mask_of_the_old_one(seed, index, colour):
    scene, index = _scene(seed, index)
    assume(colour != scene.things[index].colour)
    before = draw_scene(scene)
    changed = _changed(before, edit(scene, f"{index}.colour", colour))
    assert changed.any()
    assert not (changed & ~_tinted(before, index)).any()


@FEW
@given(SEEDS, INDICES, st.sampled_from(COLOURS))
def test_the_mask_of_a_plain_colour_has_no_pixel_that_another_colour_leaves_as_it_was(
    seed, index, colour
):
    scene, index = _scene(seed, index)
    scene = edit(scene, f"{index}.finish", "plain")
    assume(colour != scene.things[index].colour)
    before = draw_scene(scene)
    changed = _changed(before, edit(scene, f"{index}.colour", colour))
    np.testing.assert_array_equal(changed, _tinted(before, index))


@FEW
@given(SEEDS, INDICES, st.sampled_from(FINISHES))
def test_a_new_finish_changes_pixels_and_only_inside_the_tinted_region(seed, index, finish):
    scene, index = _scene(seed, index)
    assume(finish != scene.things[index].finish)
    before = draw_scene(scene)
    tinted = _tinted(before, index)
    assume(tinted.sum() >= 60)  # a coarse pattern may miss the last visible corner of a thing
    changed = _changed(before, edit(scene, f"{index}.finish", finish))
    assert changed.any()
    assert not (changed & ~tinted).any()


@FEW
@given(SEEDS, INDICES, st.sampled_from(WORDS))
def test_a_new_word_changes_pixels_and_only_inside_the_plate_of_its_sign(seed, index, word):
    scene, index = _scene(seed, index, kind="sign")
    old = scene.things[index].word
    assume(word != old)
    before = draw_scene(scene)
    plate = before.mask(f"text:{old}") & (before.thing_HW == index)
    changed = _changed(before, edit(scene, f"{index}.word", word))
    assert changed.any()
    assert not (changed & ~plate).any()


@FEW
@given(SEEDS, INDICES, st.sampled_from(EMOTIONS))
def test_a_new_emotion_changes_pixels_and_only_inside_the_face_of_its_person(seed, index, emotion):
    scene, index = _scene(seed, index, kind="person")
    old = scene.things[index].emotion
    assume(emotion != old)
    before = draw_scene(scene)
    face = before.mask(f"emotion:{old}") & (before.thing_HW == index)
    changed = _changed(before, edit(scene, f"{index}.emotion", emotion))
    assert changed.any()
    assert not (changed & ~face).any()


@pytest.mark.parametrize(("attribute", "shower"), [("word", "sign"), ("emotion", "person")])
@FEW
@given(seed=SEEDS, index=INDICES, data=st.data())
def test_what_only_one_kind_shows_changes_no_pixel_of_another(seed, index, data, attribute, shower):
    kind = data.draw(st.sampled_from([k for k in OBJECTS if k != shower]))
    scene, index = _scene(seed, index, kind)
    value = data.draw(st.sampled_from({"word": WORDS, "emotion": EMOTIONS}[attribute]))
    assert not _changed(draw_scene(scene), edit(scene, f"{index}.{attribute}", value)).any()


@pytest.mark.parametrize(
    ("attribute", "values"),
    [
        ("kind", OBJECTS),
        ("column", ("left", "middle", "right")),
        ("row", ("top", "bottom")),
        ("scale", tuple(range(60, 131))),
        ("flip", (False, True)),
    ],
)
@settings(max_examples=15)
@given(seed=SEEDS, index=INDICES, data=st.data())
def test_a_new_shape_or_spot_changes_pixels_only_where_the_thing_was_or_is(
    seed, index, data, attribute, values
):
    scene, index = _scene(seed, index)
    before = draw_scene(scene)
    after = draw_scene(edit(scene, f"{index}.{attribute}", data.draw(st.sampled_from(values))))
    changed = (before.pixels_HW3 != after.pixels_HW3).any(axis=2)
    touched = (before.thing_HW == index) | (after.thing_HW == index)
    assert not (changed & ~touched).any()


@FEW
@given(SEEDS, INDICES)
def test_hiding_a_thing_changes_pixels_only_where_it_was_seen(seed, index):
    scene, index = _scene(seed, index)
    before = draw_scene(scene)
    seen = before.mask(f"object:{scene.things[index].kind}") & (before.thing_HW == index)
    changed = _changed(before, edit(scene, f"{index}.shown", False))
    assert not (changed & ~seen).any()


@FEW
@given(SEEDS, INDICES)
def test_hiding_a_thing_changes_nearly_all_of_its_pixels(seed, index):
    """A mask that is too large would hold pixels that belong to what stands behind."""
    scene, index = _scene(seed, index)
    before = draw_scene(scene)
    changed = _changed(before, edit(scene, f"{index}.shown", False))
    assert changed.sum() >= 0.9 * (before.thing_HW == index).sum()


@FEW
@given(SEEDS, INDICES)
def test_a_hidden_thing_leaves_no_mask_behind(seed, index):
    scene, index = _scene(seed, index)
    hidden = edit(scene, f"{index}.shown", False)
    without = dataclasses.replace(
        scene, things=tuple(t for i, t in enumerate(scene.things) if i != index)
    )
    assert draw_scene(hidden).concepts() == draw_scene(without).concepts()


@FEW
@given(SEEDS, st.sampled_from((*SCENES, None)))
def test_a_new_place_changes_pixels_and_only_inside_the_mask_of_the_old_one(seed, place):
    scene = fresh_scene(seed)
    assume(place != scene.place)
    before = draw_scene(scene)
    changed = _changed(before, edit(scene, "place", place))
    assert changed.any()
    assert not (changed & ~before.mask(f"scene:{scene.place}")).any()


@FEW
@given(SEEDS, INDICES)
def test_what_is_written_has_only_pixels_of_the_plate_and_of_its_letters(seed, index):
    scene, index = _scene(seed, index, kind="sign")
    picture = draw_scene(scene)
    mask = picture.mask(f"text:{scene.things[index].word}") & (picture.thing_HW == index)
    assert len(np.unique(picture.pixels_HW3[mask], axis=0)) == 2


@FEW
@given(SEEDS, INDICES)
def test_a_face_has_no_pixel_that_takes_the_colour_of_hair_and_clothes(seed, index):
    scene, index = _scene(seed, index, kind="person")
    picture = draw_scene(scene)
    face = picture.mask(f"emotion:{scene.things[index].emotion}")
    assert not (face & _tinted(picture, index)).any()


@st.composite
def crowds(draw: st.DrawFn) -> Picture:
    """A picture whose things hide each other, some of them nearly or wholly."""
    scene = fresh_scene(draw(SEEDS), distribution="natural")
    for index in range(len(scene.things)):
        scene = edit(scene, f"{index}.column", draw(st.sampled_from(("left", "middle"))))
        scene = edit(scene, f"{index}.row", "top")
        scene = edit(scene, f"{index}.scale", draw(st.sampled_from((60, 100, 130))))
        scene = edit(scene, f"{index}.kind", draw(st.sampled_from(("sign", "person", *OBJECTS))))
    return draw_scene(scene)


@FEW
@given(crowds())
def test_masks_of_one_class_are_disjoint_even_in_a_crowd(picture):
    for group in ("scene", "object", "part", "color", "text", "emotion"):
        layers = sum(picture.mask(c).astype(int) for c in CONCEPTS if c.group == group)
        assert layers.max() <= 1, group


@FEW
@given(crowds())
def test_every_pixel_of_a_crowd_belongs_to_the_place_or_to_an_object(picture):
    covered = sum(picture.mask(c) for c in CONCEPTS if c.group in ("scene", "object"))
    assert (covered == 1).all()


@settings(max_examples=50)
@given(crowds())
def test_concepts_are_those_whose_masks_are_large_enough(picture):
    large = {c for c in CONCEPTS if picture.mask(c).sum() >= MIN_VISIBLE}
    assert set(picture.concepts()) == large


@FEW
@given(SEEDS)
def test_no_concept_is_listed_twice(seed):
    found = draw_scene(fresh_scene(seed)).concepts()
    assert len(set(found)) == len(found)


@FEW
@given(SEEDS)
def test_a_box_encloses_the_mask_tightly(seed):
    picture = draw_scene(fresh_scene(seed))
    for wanted in picture.concepts():
        x0, y0, x1, y1 = picture.box(wanted)
        mask = picture.mask(wanted)
        inside = mask[y0 : y1 + 1, x0 : x1 + 1]
        assert inside.sum() == mask.sum(), wanted.id
        sides = (inside[0], inside[-1], inside[:, 0], inside[:, -1])
        assert all(side.any() for side in sides), wanted.id


@pytest.mark.parametrize("wanted", ["object:sign", "text:stop", "emotion:sad", "scene:sea"])
def test_an_absent_concept_has_an_empty_mask_and_no_box(wanted):
    scene = dataclasses.replace(edit(fresh_scene(1), "place", "city"), things=())
    picture = draw_scene(scene)
    assert not picture.mask(wanted).any()
    assert picture.box(wanted) is None


@pytest.mark.parametrize("name", ["object:elephant", "fish", "elephant"])
def test_a_mask_of_an_unknown_or_ambiguous_concept_names_it(name):
    with pytest.raises(UserError, match=f"'{name}'"):
        draw_scene(fresh_scene(1)).mask(name)


def test_a_mask_is_found_by_id_bare_word_and_concept_alike():
    picture = draw_scene(edit(fresh_scene(1), "0.kind", "umbrella"))
    by_id = picture.mask("object:umbrella")
    assert by_id.any()
    np.testing.assert_array_equal(picture.mask("umbrella"), by_id)
    np.testing.assert_array_equal(picture.mask(Concept("object", "umbrella")), by_id)


def test_every_concept_is_seen_in_some_of_400_pictures():
    seen = {c for seed in range(400) for c in draw_scene(fresh_scene(seed)).concepts()}
    assert set(CONCEPTS) - seen == set()


@FEW
@given(SEEDS)
def test_everything_in_a_fresh_scene_is_seen_well_enough_to_be_asked_about(seed):
    picture = draw_scene(fresh_scene(seed))
    areas = [int((picture.thing_HW == i).sum()) for i in range(len(picture.scene.shown))]
    assert min(areas) >= 60


@pytest.mark.parametrize(
    ("attribute", "kind", "values"),
    [
        ("place", "car", (*SCENES, None)),
        ("0.kind", "car", OBJECTS),
        ("0.colour", "car", COLOURS),
        ("0.finish", "car", FINISHES),
        ("0.word", "sign", WORDS),
        ("0.emotion", "person", EMOTIONS),
    ],
)
def test_every_value_of_an_attribute_looks_different(attribute, kind, values):
    scene = edit(fresh_scene(3), "0.kind", kind)
    pictures = {draw_scene(edit(scene, attribute, v)).pixels_HW3.tobytes() for v in values}
    assert len(pictures) == len(values)


@pytest.mark.parametrize("kind", OBJECTS)
def test_a_large_thing_at_the_edge_is_not_cut_off(kind):
    scene = fresh_scene(3)
    thing = dataclasses.replace(scene.things[0], kind=kind, scale=130)
    spots = [
        {"row": row, "column": column, "dx": dx, "dy": dy}
        for row, dy in (("top", -3), ("bottom", 3))
        for column, dx in (("left", -2), ("middle", 0), ("right", 2))
    ]
    moved = [dataclasses.replace(scene, things=(dataclasses.replace(thing, **s),)) for s in spots]
    assert len({int((draw_scene(one).thing_HW == 0).sum()) for one in moved}) == 1


def test_a_picture_is_as_large_as_the_world_says():
    assert draw_scene(fresh_scene(0)).image().size == (SIZE, SIZE)
    assert SIZE >= 96


DIGESTS = """
import hashlib, json
import numpy as np
from toybox.world_draw import draw_scene
from toybox.world_splits import fresh_scene
from toybox.world_text import LONG_FORMS, ask, caption

digests = []
for seed in range(20):
    scene = fresh_scene(seed, distribution="natural")
    picture = draw_scene(scene)
    said = ask(scene, np.random.default_rng(seed), 12)
    said += ask(scene, np.random.default_rng(seed), 0, LONG_FORMS)
    masks = [(c.id, picture.box(c)) for c in picture.concepts()]
    told = json.dumps([caption(scene), said, masks])
    digests.append(hashlib.sha256(picture.pixels_HW3.tobytes() + told.encode()).hexdigest())
print(json.dumps(digests))
"""


def _in_another_process(hash_seed: str) -> list[str]:
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        [sys.executable, "-c", DIGESTS], env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_a_seed_gives_the_same_pixels_masks_and_words_in_every_process():
    one = _in_another_process("1")
    assert len({*one}) == 20
    assert _in_another_process("2") == one


def test_the_digest_of_the_pixels_does_not_depend_on_what_was_drawn_before():
    def digest() -> str:
        return hashlib.sha256(draw_scene(fresh_scene(17)).pixels_HW3.tobytes()).hexdigest()

    alone = digest()
    for seed in range(30):
        draw_scene(fresh_scene(seed))
    assert digest() == alone
