"""The grid on which the toybox's dense labels and masks are kept: 12 x 12 cells of 8 x 8 pixels."""

from toybox.world import SIZE

PATCH = 8
GRID = SIZE // PATCH
