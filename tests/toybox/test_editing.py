"""Edits by words: exactly one attribute of the scene, and none of what can't be meant."""

import asyncio

import numpy as np
import pytest
from PIL import Image

from sae_core.errors import UserError
from toybox.conversations import ToyboxPictures
from toybox.editing import SceneEditor
from toybox.tags import scene_of
from toybox.world import attributes

picture = ToyboxPictures("explore", 40).picture
EDITOR = SceneEditor()


def edited(image, words):
    return asyncio.run(EDITOR.edited(image, words))


def test_one_attribute_changes_and_no_other():
    before = picture(3)
    others = EDITOR.others(before, "place = beach")
    for words in others[:: max(1, len(others) // 12)]:
        after = attributes(scene_of(edited(before, words)))
        was = attributes(scene_of(before))
        attribute = words.partition(" = ")[0]
        assert {name for name in after if after[name] != was[name]} == {attribute}


def test_every_edit_that_is_listed_can_be_made():
    before = picture(3)
    listed = EDITOR.edits(before)
    was = attributes(scene_of(before))
    assert {one.rpartition(".")[2].partition(" ")[0] for one in listed} >= {"place", "kind"}
    for words in listed[:: len(listed) // 12]:
        after = attributes(scene_of(edited(before, words)))
        assert {name for name in after if after[name] != was[name]} == {words.partition(" = ")[0]}


def test_values_are_read_as_they_are_written():
    image = picture(3)
    assert attributes(scene_of(edited(image, "0.flip=TRUE")))["0.flip"] is True
    assert attributes(scene_of(edited(image, "0.scale = 77")))["0.scale"] == 77
    assert scene_of(edited(image, "place = none")).place is None


@pytest.mark.parametrize(("words", "own"), [("0.colour = red", "0."), ("place = beach", "place")])
def test_the_others_are_of_other_things(words, own):
    others = EDITOR.others(picture(3), words)
    assert others
    assert not [edit for edit in others if edit.startswith(own)]


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("paint it red", "write 0.colour = red"),
        ("99.colour = red", "It has place"),
        ("0.colour = loud", "choose from"),
    ],
)
def test_words_without_a_meaning_are_refused(words, fault):
    with pytest.raises(UserError, match=fault):
        edited(picture(3), words)


def test_a_picture_without_a_scene_is_refused():
    with pytest.raises(UserError, match="does not say what scene"):
        edited(Image.new("RGB", (96, 96)), "place = beach")


def test_a_picture_that_was_painted_over_is_refused():
    image = picture(3)
    painted = Image.fromarray(np.asarray(image) // 2)
    painted.info = image.info
    with pytest.raises(UserError, match="was changed since"):
        edited(painted, "place = beach")
