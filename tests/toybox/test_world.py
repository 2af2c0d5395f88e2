"""Scenes: what edits change, and what the three distributions promise."""

import dataclasses
import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sae_core.errors import UserError
from toybox.vocabulary import COLOURS, EMOTIONS, FINISHES, OBJECTS, SCENES, WORDS
from toybox.world import (
    BIAS,
    BIAS_UNSEEN,
    BIAS_VISIBLE,
    Scene,
    Thing,
    attributes,
    edit,
    sample_scene,
)
from toybox.world_splits import fresh_scene

ALLOWED = {
    "place": (*SCENES, None),
    "kind": OBJECTS,
    "colour": COLOURS,
    "finish": FINISHES,
    "word": WORDS,
    "emotion": EMOTIONS,
    "column": ("left", "middle", "right"),
    "row": ("top", "bottom"),
    "scale": tuple(range(60, 131)),
    "flip": (False, True),
    "shown": (False, True),
}
MANY = 3_000
SIGMAS = 4


@st.composite
def changes(draw: st.DrawFn) -> tuple[Scene, str, object]:
    """A scene, an attribute that it has, and a value that the attribute can take."""
    scene = fresh_scene(draw(st.integers(0, 2**20)))
    attribute = draw(st.sampled_from(sorted(attributes(scene))))
    value = draw(st.sampled_from(ALLOWED[attribute.rpartition(".")[2]]))
    return scene, attribute, value


@given(changes())
def test_an_edit_changes_its_attribute_and_nothing_else(change):
    scene, attribute, value = change
    wanted = dataclasses.asdict(scene)
    index, _, name = attribute.rpartition(".")
    (wanted["things"][int(index)] if index else wanted)[name] = value
    assert dataclasses.asdict(edit(scene, attribute, value)) == wanted


@given(changes())
def test_an_edit_is_seen_in_the_attributes_as_exactly_one_difference(change):
    scene, attribute, value = change
    assert attributes(edit(scene, attribute, value)) == attributes(scene) | {attribute: value}


@given(changes())
def test_an_edit_leaves_the_original_scene_as_it_was(change):
    scene, attribute, value = change
    before = scene.digest()
    edit(scene, attribute, value)
    assert scene.digest() == before


@pytest.mark.parametrize("name", ALLOWED)
def test_every_allowed_value_is_accepted(name):
    scene = fresh_scene(3)
    attribute = name if name == "place" else f"0.{name}"
    for value in ALLOWED[name]:
        assert attributes(edit(scene, attribute, value))[attribute] == value


@pytest.mark.parametrize(
    "attribute", ["0.color", "9.colour", "-1.colour", "colour", "unseen", "0.place", "0.", ""]
)
def test_an_unknown_attribute_is_named(attribute):
    with pytest.raises(UserError, match=f"'{attribute}'.* it has place, 0.kind"):
        edit(fresh_scene(3), attribute, "red")


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("place", "moon"),
        ("0.kind", "elephant"),
        ("0.colour", "turquoise"),
        ("0.colour", None),
        ("0.colour", ["red"]),
        ("0.finish", "lava"),
        ("0.word", "xyz"),
        ("0.emotion", "bored"),
        ("0.column", "centre"),
        ("0.row", "middle"),
        ("0.scale", 59),
        ("0.scale", 131),
        ("0.scale", 100.0),
        ("0.flip", 1),
        ("0.shown", "no"),
    ],
)
def test_an_unknown_value_is_named_with_its_attribute(attribute, value):
    with pytest.raises(UserError) as caught:
        edit(fresh_scene(3), attribute, value)
    assert repr(value) in str(caught.value)
    assert attribute in str(caught.value)


@given(st.integers(0, 2**20), st.sampled_from(["natural", "balanced", "conflict"]))
def test_a_key_gives_the_same_scene_again(key, distribution):
    assert sample_scene(key, distribution) == sample_scene(key, distribution)


@given(changes())
def test_a_digest_tells_a_scene_from_its_edit(change):
    scene, attribute, value = change
    edited = edit(scene, attribute, value)
    assert (edited.digest() == scene.digest()) == (attributes(scene)[attribute] == value)


@given(st.integers(0, 2**20), st.sampled_from(["natural", "balanced", "conflict"]))
def test_no_two_things_of_a_sampled_scene_stand_at_the_same_spot(key, distribution):
    spots = [(t.row, t.column) for t in sample_scene(key, distribution).things]
    assert len(set(spots)) == len(spots)


@pytest.fixture(scope="module")
def natural() -> list[Scene]:
    return [sample_scene((1, i), "natural") for i in range(MANY)]


@pytest.fixture(scope="module")
def balanced() -> list[Scene]:
    return [sample_scene((2, i), "balanced") for i in range(MANY)]


@pytest.fixture(scope="module")
def conflict() -> list[Scene]:
    return [sample_scene((3, i), "conflict") for i in range(MANY // 3)]


def _shows(kind: str) -> Callable[[Scene], bool]:
    return lambda scene: any(thing.kind == kind for thing in scene.shown)


def _noise(p: float, n: int) -> float:
    return SIGMAS * (p * (1 - p) / n) ** 0.5


@pytest.mark.parametrize("place", BIAS)
def test_natural_pictures_of_a_biased_place_show_its_usual_object_as_often_as_planted(
    natural, place
):
    there = [scene for scene in natural if scene.place == place]
    visible = sum(map(_shows(BIAS[place]), there)) / len(there)
    assert abs(visible - BIAS_VISIBLE) < _noise(BIAS_VISIBLE, len(there))


@pytest.mark.parametrize("place", BIAS)
def test_natural_pictures_of_a_biased_place_have_its_usual_object_unseen_as_often_as_planted(
    natural, place
):
    there = [scene for scene in natural if scene.place == place]
    unseen = sum(scene.unseen == (BIAS[place],) for scene in there) / len(there)
    assert abs(unseen - BIAS_UNSEEN) < _noise(BIAS_UNSEEN, len(there))


def test_natural_pictures_have_nothing_unseen_but_the_usual_object_of_their_place(natural):
    strange = [s for s in natural if s.unseen and s.unseen != (BIAS.get(s.place or ""),)]
    assert strange == []


def test_natural_pictures_never_show_what_they_have_unseen(natural):
    both = [s for s in natural if any(_shows(kind)(s) for kind in s.unseen)]
    assert both == []


@pytest.mark.parametrize("place", BIAS)
def test_balanced_pictures_show_a_usual_object_as_often_elsewhere(balanced, place):
    shows = _shows(BIAS[place])
    there = [shows(scene) for scene in balanced if scene.place == place]
    elsewhere = [shows(scene) for scene in balanced if scene.place != place]
    p = (sum(there) + sum(elsewhere)) / len(balanced)
    assert 0 < p < 0.2
    assert abs(sum(there) / len(there) - sum(elsewhere) / len(elsewhere)) < _noise(p, len(there))


def test_balanced_pictures_have_nothing_unseen(balanced):
    assert {scene.unseen for scene in balanced} == {()}


@pytest.mark.parametrize("attribute", ["colour", "word", "emotion", "column", "row"])
def test_balanced_pictures_take_every_value_of_an_attribute_equally_often(balanced, attribute):
    things = [thing for scene in balanced for thing in scene.things]
    p = 1 / len(ALLOWED[attribute])
    shares = {
        value: sum(getattr(t, attribute) == value for t in things) / len(things)
        for value in ALLOWED[attribute]
    }
    far = {v: share for v, share in shares.items() if abs(share - p) > _noise(p, len(things))}
    assert far == {}


def test_conflict_pictures_never_show_the_usual_object(conflict):
    assert [s for s in conflict if _shows(BIAS[s.place])(s) or s.unseen] == []


def test_conflict_pictures_are_of_the_biased_places_and_of_all_of_them(conflict):
    assert {scene.place for scene in conflict} == set(BIAS)


def test_a_scene_survives_its_own_json():
    scene = fresh_scene(5)
    data = json.loads(json.dumps(dataclasses.asdict(scene)))
    things = tuple(Thing(**thing) for thing in data.pop("things"))
    assert Scene(**data | {"things": things, "unseen": tuple(data["unseen"])}) == scene
