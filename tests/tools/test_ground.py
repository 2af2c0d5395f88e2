"""What is told of where a label is."""

import numpy as np
import pytest

from tests.tools.oracles import BY_LABEL, OracleGrounder
from tools.evidence import Evidence
from tools.failures import WontWork
from tools.ground import GroundArguments, ground
from tools.regions import Box
from toybox.tags import scene_of
from toybox.world_draw import draw_scene


@pytest.fixture
def seeing(make_lab):
    return make_lab(grounder=OracleGrounder())


def truth(lab, split, number, label):
    return draw_scene(scene_of(lab.picture(split, number))).mask(BY_LABEL[label])


def test_pictures_of_evidence_are_those_on_which_the_feature_fires(seeing, feature_of, evidence_of):
    label = "car"
    name, evidence = evidence_of(seeing, feature_of(label), split="validate")
    found = ground.function(seeing, GroundArguments(label=label, evidence=name))
    wanted = [one.picture for one in evidence.sightings if one.cells][:16]
    assert [one.picture for one in found.pictures] == wanted
    assert found.split == "validate"
    assert found.undetected == 0


def test_a_mask_artefact_is_the_union_of_what_was_found(seeing):
    number = next(n for n in range(60) if truth(seeing, "explore", n, "tree").any())
    found = ground.function(seeing, GroundArguments(label="tree", pictures=(number,)))
    one, wanted = found.pictures[0], truth(seeing, "explore", number, "tree")
    kept = np.asarray(seeing.artefacts.picture(one.mask).convert("L")) > 0
    assert np.array_equal(kept, wanted)
    assert one.share == wanted.mean()
    assert isinstance(one.boxes[0], Box)
    assert one.scores == (0.9,)


def test_what_was_not_found_is_said(seeing):
    found = ground.function(seeing, GroundArguments(label="unicorn", pictures=(0, 1)))
    assert found.undetected == 2
    assert [(one.mask, one.boxes, one.share) for one in found.pictures] == [(None, (), 0.0)] * 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"label": "car"}, "either evidence or pictures"),
        ({"label": "car", "pictures": [0], "evidence": "0" * 64}, "either evidence or pictures"),
        ({"label": "  ", "pictures": [0]}, "label"),
        ({"label": "x" * 201, "pictures": [0]}, "label"),
        ({"label": "car", "pictures": [-1]}, r"pictures\.0"),
    ],
)
def test_bad_arguments_are_named(given, said):
    with pytest.raises(WontWork, match=said):
        ground.parse(given)


def test_a_sealed_split_stays_sealed(seeing):
    with pytest.raises(WontWork, match="sealed"):
        ground.function(seeing, GroundArguments(label="car", pictures=(0,), split="test"))


def test_evidence_of_other_pictures_is_refused(seeing, feature_of, evidence_of):
    _, evidence = evidence_of(seeing, feature_of("car"))
    stale: Evidence = evidence.model_copy(update={"pictures": "others"})
    name = seeing.artefacts.put_document(stale)
    with pytest.raises(WontWork, match="Gather it anew"):
        ground.function(seeing, GroundArguments(label="car", evidence=name))
