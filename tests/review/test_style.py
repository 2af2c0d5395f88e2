"""What the sheet promises to all: words can be told from their ground, in light and in dark."""

import re

import pytest

from review.site import FOLDER

SHEET = (FOLDER / "static" / "style.css").read_text()
COLOURS = dict(re.findall(r"--([\w-]+): light-dark\((#\w{6}, #\w{6})\)", SHEET))
ENOUGH = 4.5
"""What WCAG's level AA asks of text of usual size."""


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return sum(share * one for share, one in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("place", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ink", ["ink", "muted", "accent", "good", "warn", "bad"])
@pytest.mark.parametrize("ground", ["paper", "card", "sunk"])
def test_words_stand_out_from_their_ground(place, ink, ground):
    pair = [COLOURS[name].split(", ")[place] for name in (ink, ground)]
    assert contrast(*pair) >= ENOUGH


@pytest.mark.parametrize("place", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "ground"), [("accent", "accent-soft"), ("ink", "mark"), ("muted", "mark")]
)
def test_marked_words_do_too(place, ink, ground):
    pair = [COLOURS[name].split(", ")[place] for name in (ink, ground)]
    assert contrast(*pair) >= ENOUGH


def test_movement_stops_where_it_is_not_wanted():
    assert "@media (prefers-reduced-motion: reduce)" in SHEET
