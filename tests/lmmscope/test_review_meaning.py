"""Labels by what they mean: each is read once, and found though no word is the same."""

import os

import numpy as np

from agent.store import Reader, Store
from lmmscope.bench_place import Meant
from lmmscope.review_meaning import LabelMeanings
from tests.agent.store.conftest import PROVENANCE, finding_of

MEANT = {"red umbrella": (1.0, 0.0), "sad face": (0.0, 1.0), "parasol": (0.9, 0.1)}


class Encoder:
    """Knows three texts, and remembers what it was asked."""

    def __init__(self):
        self.read = []

    def meant(self, texts):
        self.read += texts
        return Meant("three texts", np.array([MEANT[one] for one in texts], np.float32))


def test_new_labels_are_read_once_and_the_nearest_comes_first(tmp_path):
    encoder = Encoder()
    with Store(tmp_path) as store:
        store.begin("r1", "?", PROVENANCE, pid=os.getpid())
        store.put(finding_of(1, "red umbrella"))
        with Reader(tmp_path) as reader:
            meanings = LabelMeanings(reader, encoder.meant)
            assert [one.label for one in meanings.nearest("parasol", 9).near] == ["red umbrella"]
            store.put(finding_of(2, "sad face"))
            found = meanings.nearest("parasol", 9)
            meanings.close()
    assert [one.label for one in found.near] == ["red umbrella", "sad face"]
    assert found.unread == 0
    assert sorted(encoder.read) == ["parasol", "parasol", "red umbrella", "sad face"]
