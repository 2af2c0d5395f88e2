import numpy as np
import torch

from sae_core.coders.sparse import Code
from sae_core.index.table import Harvested
from toybox.truth import Matcher, auroc, depicted, read_truth, write_truth
from toybox.vocabulary import CONCEPTS, concept
from toybox.world_draw import draw_scene
from toybox.world_splits import split

NUMBERS = range(60)


def test_auroc_equals_counting_all_pairs():
    generator = torch.Generator().manual_seed(0)
    scores = torch.randint(0, 4, (40, 3), generator=generator).float()  # many ties
    present = torch.rand(40, 2, generator=generator) < 0.4
    found = auroc(scores, present)
    for f in range(3):
        for c in range(2):
            yes, no = scores[present[:, c], f], scores[~present[:, c], f]
            wins = (yes[:, None] > no).double() + 0.5 * (yes[:, None] == no)
            torch.testing.assert_close(found[f, c], wins.mean())


def planted(names):
    """Features that fire where a concept is, and a last one that fires everywhere."""
    truth = depicted("validate", NUMBERS)
    wanted = [CONCEPTS.index(concept(name)) for name in names]
    values = truth.cells_NPC[:, :, wanted].astype(np.float32)
    values = np.concatenate([values, np.ones_like(values[..., :1])], 2)
    indices = np.broadcast_to(np.arange(values.shape[2]), values.shape)
    code = Code(torch.from_numpy(values), torch.from_numpy(indices.copy()))
    return Harvested(torch.tensor(list(NUMBERS)), code, torch.zeros(len(NUMBERS), 4), (12, 12))


def test_features_that_fire_on_a_concept_are_matched_with_it(tmp_path):
    names = ("scene:beach", "color:red", "object:sign")
    matcher = Matcher(5, "validate")
    matcher.add(planted(names))
    truth = matcher.truth("the coder's hash")
    for j, name in enumerate(names):
        assert truth.features[j].concept == name
        assert truth.features[j].auroc > 0.95
        assert truth.features[j].iou == 1.0
        assert truth.concepts[name].auroc == truth.features[j].auroc
        assert name in truth.found()
    assert truth.features[3].auroc < 0.9  # fires on every picture, tells nothing
    assert 4 not in truth.features  # never fires
    write_truth(truth, tmp_path / "truth.json")
    assert read_truth(tmp_path / "truth.json") == truth


def test_what_is_shown_agrees_with_the_masks():
    truth = depicted("validate", [3])
    drawn = draw_scene(split("validate").scene(3))
    for c, name in enumerate(CONCEPTS):
        assert truth.present_NC[0, c] == (name in drawn.concepts())
        if truth.cells_NPC[0, :, c].any():
            assert drawn.mask(name).any()
