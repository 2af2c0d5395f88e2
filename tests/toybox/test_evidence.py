"""Evidence: the cells that stand for a meaning, and what of it is kept from the explainer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toybox.evidence import (
    Meaning,
    cells_of,
    evidence_in,
    held_out,
    mask_of,
    meanings,
    meanings_in,
    nothing,
    numbers,
    ragged,
)
from toybox.grid import GRID, PATCH
from toybox.vocabulary import COLOURS, CONCEPTS, MATERIALS, OBJECTS
from toybox.world import SIZE, edit
from toybox.world_draw import MIN_VISIBLE, draw_scene
from toybox.world_splits import fresh_scene

FEW = settings(max_examples=25)
SEEDS = st.integers(0, 2**20)


def test_labels_of_meanings_are_unique_so_that_a_reply_means_one_of_them():
    assert len({m.label for m in meanings()}) == len(meanings())


def test_every_meaning_has_its_own_number():
    assert [numbers()[m] for m in meanings()] == list(range(len(meanings())))


@pytest.mark.parametrize(
    ("meaning", "label", "category"),
    [
        (Meaning("object", "car"), "car", "object"),
        (Meaning("scene", "sea"), "the sea", "scene"),
        (Meaning("color object", "red", "car"), "red car", "object"),
        (Meaning("material object", "wood", "bus"), "wooden bus", "object"),
    ],
)
def test_a_meaning_is_called_as_a_person_would_call_it(meaning, label, category):
    assert (meaning.label, meaning.category) == (label, category)


def test_no_single_concept_is_kept_from_the_explainer():
    assert [m for m in meanings() if held_out(m) and not m.kind] == []


def test_about_one_pair_in_six_is_kept_from_the_explainer():
    pairs = [m for m in meanings() if m.kind]
    assert sum(map(held_out, pairs)) / len(pairs) == pytest.approx(1 / 6, abs=0.02)


@pytest.mark.parametrize("word", [*COLOURS, *MATERIALS])
def test_every_attribute_is_taught_with_most_objects_but_not_with_all(word):
    kept = [held_out(m) for m in meanings() if m.kind and m.word == word]
    assert 0 < sum(kept) < len(kept) / 2


@pytest.mark.parametrize("kind", OBJECTS)
def test_every_object_is_taught_with_most_attributes_but_not_with_all(kind):
    kept = [held_out(m) for m in meanings() if m.kind == kind]
    assert 0 < sum(kept) < len(kept) / 2


@FEW
@given(SEEDS)
def test_cells_hold_the_share_of_them_that_a_mask_fills(seed):
    mask = np.random.default_rng(seed).random((SIZE, SIZE)) < 0.3
    cells = cells_of(mask).reshape(GRID, GRID)
    y, x = seed % GRID, seed // GRID % GRID
    inside = mask[y * PATCH : (y + 1) * PATCH, x * PATCH : (x + 1) * PATCH]
    assert cells[y, x] == pytest.approx(255 * inside.mean(), abs=1)


@FEW
@given(SEEDS)
def test_a_picture_shows_every_concept_and_every_thing_with_its_attributes(seed):
    picture = draw_scene(fresh_scene(seed))
    found = set(meanings_in(picture))
    wanted = {Meaning(*c) for c in picture.concepts()}
    for thing in picture.scene.shown:
        wanted.add(Meaning("color object", thing.colour, thing.kind))
        if thing.finish != "plain":
            group = "material object" if thing.finish in MATERIALS else "texture object"
            wanted.add(Meaning(group, thing.finish, thing.kind))
    assert found == wanted


@FEW
@given(SEEDS)
def test_everything_that_a_picture_shows_has_a_mask_and_a_lit_cell(seed):
    picture = draw_scene(fresh_scene(seed))
    evidence = evidence_in(picture)
    dark = [
        meaning
        for meaning in meanings_in(picture)
        if mask_of(picture, meaning).sum() < MIN_VISIBLE or not evidence[numbers()[meaning]].any()
    ]
    assert dark == []


@FEW
@given(SEEDS)
def test_the_mask_of_a_pair_is_the_whole_of_the_objects_that_have_both(seed):
    scene = fresh_scene(seed)
    picture = draw_scene(scene)
    kind, colour = scene.things[0].kind, scene.things[0].colour
    right = [i for i, t in enumerate(scene.things) if (t.kind, t.colour) == (kind, colour)]
    mask = mask_of(picture, Meaning("color object", colour, kind))
    np.testing.assert_array_equal(mask, np.isin(picture.thing_HW, right))


def test_the_mask_of_a_single_concept_is_the_pictures_own():
    picture = draw_scene(edit(fresh_scene(1), "0.kind", "fish"))
    np.testing.assert_array_equal(
        mask_of(picture, Meaning("object", "fish")), picture.mask("object:fish")
    )


@FEW
@given(SEEDS)
def test_ragged_evidence_always_has_a_cell_on_its_meaning(seed):
    picture = draw_scene(fresh_scene(seed))
    rng = np.random.default_rng(seed)
    for number, cells in evidence_in(picture).items():
        active = ragged(cells, rng)
        assert (active & (cells.reshape(GRID, GRID) > 0)).any(), meanings()[number].label


def test_ragged_evidence_lies_mostly_on_its_meaning():
    rng = np.random.default_rng(0)
    on = off = 0
    for seed in range(60):
        for cells in evidence_in(draw_scene(fresh_scene(seed))).values():
            active, filled = ragged(cells, rng), cells.reshape(GRID, GRID) > 0
            on, off = on + (active & filled).sum(), off + (active & ~filled).sum()
    assert on / (on + off) > 0.85


def test_evidence_of_nothing_comes_in_every_size_from_no_cell_to_many():
    rng = np.random.default_rng(0)
    masks = [nothing(rng) for _ in range(300)]
    assert {mask.shape for mask in masks} == {(GRID, GRID)}
    sizes = [int(mask.sum()) for mask in masks]
    assert min(sizes) == 0
    assert max(sizes) > GRID * GRID / 4


def test_every_concept_is_a_meaning():
    assert {(c.group, c.word) for c in CONCEPTS} == {m[:2] for m in meanings() if not m.kind}
