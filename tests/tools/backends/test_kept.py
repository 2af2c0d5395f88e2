"""The same pixels are computed once, and no more results are kept than allowed."""

from PIL import Image

from tools.backends.kept import Kept


def plain(shade, mode="RGB"):
    return Image.new("RGB", (2, 3), (shade, shade, shade)).convert(mode)


class Counted:
    """Remembers which shades it was asked for, batch by batch."""

    def __init__(self):
        self.batches = []

    def __call__(self, pictures):
        shades = [picture.getpixel((0, 0))[0] for picture in pictures]
        self.batches.append(shades)
        return [10 * shade for shade in shades]


def test_equal_pictures_are_computed_once_and_answered_each():
    counted = Counted()
    kept = Kept(counted, batch=3, limit=8)
    assert kept.of([plain(1), plain(2), plain(1)]) == [10, 20, 10]
    assert kept.of([plain(2), plain(3)]) == [20, 30]
    assert counted.batches == [[1, 2, 2], [3, 3, 3]]


def test_a_picture_in_another_mode_is_the_same_picture():
    counted = Counted()
    kept = Kept(counted, batch=1, limit=8)
    kept.of([plain(1)])
    kept.of([plain(1, "RGBA")])
    assert counted.batches == [[1]]


def test_equal_bytes_in_another_shape_are_another_picture():
    kept = Kept(lambda pictures: [picture.size for picture in pictures], batch=8, limit=8)
    wide = Image.new("RGB", (3, 2))
    assert kept.of([Image.new("RGB", (2, 3)), wide]) == [(2, 3), (3, 2)]


def test_as_many_are_computed_together_whatever_is_known():
    counted = Counted()
    kept = Kept(counted, batch=2, limit=8)
    assert kept.of([plain(shade) for shade in range(5)]) == [0, 10, 20, 30, 40]
    assert kept.of([plain(shade) for shade in range(6)]) == [0, 10, 20, 30, 40, 50]
    assert [len(batch) for batch in counted.batches] == [2, 2, 2, 2]


def test_the_least_recently_used_go_first():
    counted = Counted()
    kept = Kept(counted, batch=1, limit=2)
    kept.of([plain(1), plain(2)])
    kept.of([plain(1)])
    kept.of([plain(3)])
    kept.of([plain(1)])
    assert counted.batches == [[1], [2], [3]]
    assert len(kept) == 2


def test_one_call_may_need_more_than_are_kept():
    kept = Kept(Counted(), batch=2, limit=1)
    assert kept.of([plain(shade) for shade in range(4)]) == [0, 10, 20, 30]
