"""One edit makes or breaks what a planted feature fires on, and only what is seen counts."""

import numpy as np
import pytest
from PIL import Image

from tests.tools.conftest import SIZES
from tests.tools.oracles import OracleGrounder, seen
from tools.edit_one import EditOneArguments, edit_one
from tools.failures import WontWork
from tools.screen import ASKED, ScreenArguments, screen
from toybox.editing import SceneEditor
from toybox.tags import KEY

pytestmark = pytest.mark.anyio


class Server:
    """Takes any words, and paints the picture over."""

    identity = "server"

    def __init__(self):
        self.told = []

    async def edited(self, picture, words):
        self.told.append(words)
        painted = Image.fromarray(255 - np.asarray(picture))
        painted.info = picture.info
        return painted

    def edits(self, picture):
        del picture

    def others(self, picture, words):
        del picture, words
        return []


@pytest.fixture
def editing(make_lab):
    return make_lab(grounder=OracleGrounder(), editor=SceneEditor())


@pytest.fixture
def cars(world, feature_of):
    """A planted feature of cars, with pictures that show one, and others that show none."""
    feature = feature_of("car")
    pictures = [world.pictures["explore"].picture(number) for number in range(SIZES["explore"])]
    lit = [world.observer.values(one)[:, feature].any() for one in pictures[:80]]
    (there,), (nowhere,) = np.nonzero(lit), np.nonzero(~np.array(lit))
    return feature, tuple(there[:3].tolist()), tuple(nowhere[:3].tolist())


async def test_what_is_added_is_seen_and_lights_its_feature(editing, cars):
    feature, _, nowhere = cars
    args = EditOneArguments(feature=feature, pictures=nowhere, change="add", concept="car")
    found = await edit_one.call(editing, args)
    assert [one.picture for one in found.edited] == list(nowhere)
    assert all(one.fires and one.sure["car"] > 0 for one in found.edited)
    assert all("car" in one.words and one.changed in editing.artefacts for one in found.edited)


async def test_what_is_removed_is_gone_and_its_feature_silent(editing, cars):
    feature, there, _ = cars
    args = EditOneArguments(feature=feature, pictures=there, change="remove", concept="car")
    found = await edit_one.call(editing, args)
    gone = [one for one in found.edited if one.sure["car"] == 0]
    assert gone
    assert not any(one.fires for one in gone)


async def test_of_several_edits_the_one_that_leaves_the_rest_is_taken(editing, world):
    """A picture with two kinds of things: a third takes the place of the one nobody asks for."""
    number, kept = next(
        (number, kept)
        for number in range(SIZES["explore"])
        if len(kinds := _kinds(world.pictures["explore"].picture(number))) == 2
        and "ball" not in kinds
        for kept in kinds[:1]
    )
    args = EditOneArguments(
        feature=0, pictures=(number,), change="add", concept="ball", beside=(kept,)
    )
    (one,) = (await edit_one.call(editing, args)).edited
    assert min(one.sure.values()) > 0


def _kinds(picture):
    labels = seen(picture.info[KEY]).masks
    return sorted({"car", "bus", "tree", "cup", "hat", "ball", "cat", "sign"} & set(labels))


async def test_what_no_edit_names_is_left_out(editing, cars):
    feature, _, nowhere = cars
    args = EditOneArguments(feature=feature, pictures=nowhere, change="add", concept="zeppelin")
    found = await edit_one.call(editing, args)
    assert (found.edited, found.unedited) == ((), 3)


async def test_an_editor_that_takes_any_words_is_asked_in_words(make_lab, cars):
    server = Server()
    lab, (feature, there, _) = make_lab(grounder=OracleGrounder(), editor=server), cars
    args = EditOneArguments(feature=feature, pictures=there, change="remove", concept="car")
    found = await edit_one.call(lab, args)
    assert len(found.edited) == len(server.told) == len(there)
    assert set(server.told) == {one.words for one in found.edited}
    assert server.told[0].startswith("Remove car.")


async def test_without_an_editor_the_failure_says_what_to_set(make_lab, cars):
    lab, (feature, there, _) = make_lab(grounder=OracleGrounder()), cars
    args = EditOneArguments(feature=feature, pictures=there, change="remove", concept="car")
    assert not lab.edits
    with pytest.raises(WontWork, match=r"servers\.editor"):
        await edit_one.call(lab, args)


async def test_a_screen_finds_nothing_that_silences_what_needs_nothing_else(editing, cars):
    feature, there, _ = cars
    args = ScreenArguments(
        feature=feature, picture=there[0], concepts=("beach", "red", "tree"), keep=("car",)
    )
    found = await screen.call(editing, args)
    assert (found.silencing, found.tried > 0) == ((), True)


async def test_an_edit_that_takes_the_thing_itself_away_decides_nothing(editing, world, cars):
    """Which thing becomes a tree is chance: sometimes it is the car."""
    feature, _, _ = cars
    pictures = world.pictures["explore"]
    number = next(n for n in range(SIZES["explore"]) if _kinds(pictures.picture(n)).count("car"))
    args = ScreenArguments(feature=feature, picture=number, concepts=("tree",), keep=("car",))
    undecided = []
    for editing.seed in range(12):
        found = await screen.call(editing, args)
        assert found.silencing == ()
        undecided += found.undecided
    assert undecided


async def test_a_server_is_not_asked_for_every_suspect(make_lab, cars):
    server = Server()
    lab, (feature, there, _) = make_lab(grounder=OracleGrounder(), editor=server), cars
    suspects = tuple(f"thing {number}" for number in range(30))
    args = ScreenArguments(feature=feature, picture=there[0], concepts=suspects, keep=("car",))
    assert (await screen.call(lab, args)).tried == len(server.told) == ASKED
