"""Written words in the toybox: a small pixel alphabet, and the board that a sign shows it on.

Knows letters as rows of bits; nothing of vocabulary or of where signs stand.
"""

from __future__ import annotations

import functools

import numpy as np

from toybox.world_shapes import CODES

# Seven rows of five bits a letter, top row first.
_GLYPHS = {
    "A": (14, 17, 17, 31, 17, 17, 17), "B": (30, 17, 17, 30, 17, 17, 30),
    "C": (15, 16, 16, 16, 16, 16, 15), "D": (30, 17, 17, 17, 17, 17, 30),
    "E": (31, 16, 16, 30, 16, 16, 31), "F": (31, 16, 16, 30, 16, 16, 16),
    "G": (15, 16, 16, 19, 17, 17, 15), "H": (17, 17, 17, 31, 17, 17, 17),
    "I": (31, 4, 4, 4, 4, 4, 31), "J": (7, 2, 2, 2, 2, 18, 12),
    "K": (17, 18, 20, 24, 20, 18, 17), "L": (16, 16, 16, 16, 16, 16, 31),
    "M": (17, 27, 21, 21, 17, 17, 17), "N": (17, 25, 21, 21, 19, 17, 17),
    "O": (14, 17, 17, 17, 17, 17, 14), "P": (30, 17, 17, 30, 16, 16, 16),
    "Q": (14, 17, 17, 17, 21, 18, 13), "R": (30, 17, 17, 30, 20, 18, 17),
    "S": (15, 16, 16, 14, 1, 1, 30), "T": (31, 4, 4, 4, 4, 4, 4),
    "U": (17, 17, 17, 17, 17, 17, 14), "V": (17, 17, 17, 17, 17, 10, 4),
    "W": (17, 17, 17, 21, 21, 27, 17), "X": (17, 17, 10, 4, 10, 17, 17),
    "Y": (17, 17, 10, 4, 4, 4, 4), "Z": (31, 1, 2, 4, 8, 16, 31),
}  # fmt: skip
_BOARD_WIDTH = 35
_BOARD_HEIGHT = 17
_POST_HEIGHT = 9


def _letters(word: str) -> np.ndarray:
    columns = []
    for letter in word.upper():
        rows = [[bit == "1" for bit in f"{row:05b}"] for row in _GLYPHS[letter]]
        columns += [np.array(rows), np.zeros((7, 1), bool)]
    return np.concatenate(columns[:-1], axis=1)


@functools.cache
def sign_regions(word: str) -> np.ndarray:
    """The region plane of a sign: tinted frame, pale plate, dark letters, a post below."""
    plane = np.zeros((_BOARD_HEIGHT + _POST_HEIGHT, _BOARD_WIDTH), np.uint8)
    middle = _BOARD_WIDTH // 2
    plane[_BOARD_HEIGHT:, middle - 2 : middle + 3] = CODES["slate"]
    plane[:_BOARD_HEIGHT] = CODES["body"]
    plane[3 : _BOARD_HEIGHT - 3, 3 : _BOARD_WIDTH - 3] = CODES["plate"]
    bits = _letters(word)
    top, left = (_BOARD_HEIGHT - 7) // 2, (_BOARD_WIDTH - bits.shape[1]) // 2
    plane[top : top + 7, left : left + bits.shape[1]][bits] = CODES["letters"]
    plane.setflags(write=False)
    return plane
