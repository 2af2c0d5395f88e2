"""Layouts: which positions belong to which picture, from masks and regions alone."""

import pytest
import torch

from sae_core.errors import UserError
from sae_core.lmm.layout import BASE, BREAK, PAD, TEXT, TILE, Region, laid_out

KEPT = torch.tensor([0, 1, 1, 1, 1, 1, 1, 1, 1], dtype=torch.bool)
SHOWS = torch.tensor([0, 0, 1, 1, 1, 1, 0, 1, 0], dtype=torch.bool)


def _region(*kinds: int) -> Region:
    box_P4 = torch.arange(4.0).repeat(len(kinds), 1)
    return Region(torch.tensor(kinds), box_P4, (1, kinds.count(BASE)))


@pytest.fixture
def layout():
    return laid_out(KEPT, SHOWS, [_region(BASE, BASE, TILE, BREAK), _region(BASE)])


def test_each_position_has_the_kind_of_what_stands_there(layout):
    assert layout.kind_T.tolist() == [PAD, TEXT, BASE, BASE, TILE, BREAK, TEXT, BASE, TEXT]


def test_positions_know_their_picture_and_others_know_none(layout):
    assert layout.picture_T.tolist() == [-1, -1, 0, 0, 0, 0, -1, 1, -1]


def test_base_positions_are_those_of_one_picture(layout):
    assert [layout.base(picture).tolist() for picture in (0, 1)] == [[2, 3], [7]]


def test_positions_of_several_kinds_come_in_order(layout):
    assert layout.where(TILE, BASE).tolist() == [2, 3, 4, 7]


def test_only_positions_that_show_a_picture_have_boxes(layout):
    assert layout.box_T4.isnan().any(-1).tolist() == (~SHOWS).tolist()


def test_types_are_small(layout):
    types = (layout.kind_T.dtype, layout.picture_T.dtype, layout.box_T4.dtype)
    assert types == (torch.int8, torch.int16, torch.float32)


def test_text_alone_has_a_layout():
    layout = laid_out(KEPT, torch.zeros_like(KEPT), [])
    assert layout.where(TEXT).tolist() == list(range(1, 9))


def test_a_picture_that_the_prompt_does_not_have_is_refused(layout):
    with pytest.raises(UserError, match="No picture 2 in this prompt: it has 2"):
        layout.base(2)


def test_a_count_of_positions_that_differs_from_the_models_is_refused():
    with pytest.raises(UserError, match="made 5 picture positions where the model makes 1"):
        laid_out(KEPT, SHOWS, [_region(BASE)])
