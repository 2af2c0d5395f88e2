"""The scope `question`: the text behind the pictures, and none of what they attend to."""

import pytest
import torch

from sae_core.errors import UserError
from sae_core.lmm.layout import BASE, BREAK, PAD, TEXT, TILE, Layout
from sae_core.steering.plan import Intervention, reach

ACT = Intervention(feature=1, kind="ablate", where="question")


def layout_of(*kinds):
    none = torch.full((len(kinds),), -1, dtype=torch.int16)
    return Layout(torch.tensor(kinds, dtype=torch.int8), none, torch.zeros(len(kinds), 4), ())


@pytest.mark.parametrize(
    ("kinds", "acts"),
    [
        ((PAD, TEXT, BASE, TILE, BREAK, TEXT, TEXT), [5, 6]),
        ((TEXT, BASE, TEXT, BASE, TEXT), [4]),
        ((PAD, TEXT, TEXT), [1, 2]),
    ],
)
def test_it_acts_behind_the_last_picture_alone(kinds, acts):
    where = reach(ACT, layout_of(*kinds))
    assert where.prompt_T.nonzero()[:, 0].tolist() == acts
    assert not where.generated


def test_a_picture_without_a_question_has_no_such_position():
    with pytest.raises(UserError, match="at question positions"):
        reach(ACT, layout_of(TEXT, BASE))
