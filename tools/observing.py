"""What features do on pictures that are at hand, asked of the observer a batch at a time.

Knows codes and grids; nothing of indexes, and nothing of why somebody asks.

Shapes: B pictures, P cells, F features, R x C the grid.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PIL import Image

from sae_core.index.harvest import Numbered
from sae_core.index.observer import Observer
from sae_core.index.table import Harvested

AT_ONCE = 32
"""How many pictures the observer gets at once."""


def seen(observer: Observer, pictures: Sequence[Image.Image]) -> Iterator[Harvested]:
    """What fires on some pictures, batch by batch, in their order."""
    for at in range(0, len(pictures), AT_ONCE):
        batch = pictures[at : at + AT_ONCE]
        yield observer.observe([Numbered(at + n, picture) for n, picture in enumerate(batch)])
