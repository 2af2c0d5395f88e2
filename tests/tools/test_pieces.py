"""Pieces are connected, apart from each other, and together the mask."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from tools.pieces import pieces

MASKS = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.booleans())


def grown(mask):
    """The mask and its eight neighbours."""
    wide = np.pad(mask, 1)
    rows, columns = mask.shape
    return np.any([wide[y : y + rows, x : x + columns] for y in range(3) for x in range(3)], 0)


@given(MASKS)
def test_pieces_make_up_the_mask_and_do_not_touch(mask):
    found = pieces(mask)
    assert np.array_equal(np.sum(found, axis=0), mask) if found else not mask.any()
    for number, piece in enumerate(found):
        others = np.any([*found[:number], *found[number + 1 :], np.zeros_like(mask)], 0)
        assert not (grown(piece) & others).any()


@given(MASKS)
def test_a_piece_can_be_reached_from_any_of_its_pixels(mask):
    for piece in pieces(mask):
        reached = np.zeros_like(mask)
        reached[tuple(np.argwhere(piece)[0])] = True
        while not np.array_equal(wider := grown(reached) & piece, reached):
            reached = wider
        assert np.array_equal(reached, piece)


@given(MASKS)
def test_larger_pieces_come_first(mask):
    assert all(one.sum() >= other.sum() for one, other in pairwise(pieces(mask)))
