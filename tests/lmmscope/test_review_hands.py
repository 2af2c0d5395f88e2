"""Pictures for the review pages: sealed ones only where a verification opened them."""

import io
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from agent.store import Reader, Store
from lmmscope.review_hands import PicturesAndIndexes
from lmmscope.settings import load_settings
from review.hands import Refused
from tests.agent.store.conftest import PROVENANCE, finding_of
from tools.evidence import Evidence, Sighting
from toybox.conversations import ToyboxPictures

COUNT = 20
SHOWN, OTHER = 3, 4
MADE = PROVENANCE.model_copy(
    update={
        "pictures": {
            split: ToyboxPictures(name, COUNT).digest
            for split, name in (("explore", "explore"), ("test", "test"))
        }
    }
)


def evidence_of(store, split):
    return store.artefacts.put_document(
        Evidence(
            feature=118, coder="coder", model="m", hook="h", split=split, pictures="p",
            grid=(2, 2), fires_on=1, size=COUNT, short=False, mean=1, peak=1, level=1,
            sightings=(Sighting(picture=SHOWN, group="random"),),
        )
    )  # fmt: skip


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("LMMSCOPE_DATA__EXPLORE_PICTURES", str(COUNT))
    monkeypatch.setenv("LMMSCOPE_DATA__HELD_OUT_PICTURES", str(COUNT))
    return load_settings("toybox").model_copy(update={"runs": tmp_path})


@pytest.fixture
def finding(tmp_path):
    """A finding whose verification opened one sealed picture."""
    with Store(tmp_path) as store:
        store.begin("r1", "?", MADE, pid=os.getpid())
        made = finding_of(provenance=MADE)
        verified = made.verification.model_copy(update={"evidence": evidence_of(store, "test")})
        return store.put(made.model_copy(update={"verification": verified}))


@pytest.fixture
def eyes(settings, finding):
    assert finding
    with Reader(settings.runs) as store:
        yield PicturesAndIndexes(settings, store)


def test_a_picture_is_the_one_of_its_number(eyes, finding):
    drawn = ToyboxPictures("explore", COUNT).picture(SHOWN).convert("RGB")
    for given in (None, finding):
        found = Image.open(io.BytesIO(eyes.picture("explore", SHOWN, given)))
        assert found.tobytes() == drawn.tobytes()


def test_a_sealed_picture_is_shown_only_if_a_verification_opened_it(eyes, finding):
    assert eyes.picture("test", SHOWN, finding)
    for number, given in ((SHOWN, None), (OTHER, finding)):
        with pytest.raises(Refused, match="is sealed"):
            eyes.picture("test", number, given)


def test_the_same_number_of_another_set_is_another_picture(settings, finding, monkeypatch):
    monkeypatch.setenv("LMMSCOPE_DATA__EXPLORE_PICTURES", str(COUNT + 1))
    other = load_settings("toybox").model_copy(update={"runs": settings.runs})
    with Reader(settings.runs) as store, pytest.raises(Refused, match="are not those"):
        PicturesAndIndexes(other, store).picture("explore", SHOWN, finding)


def test_a_picture_that_there_is_not_is_refused_in_one_line(eyes):
    with pytest.raises(Refused, match=f"no picture {COUNT} in explore"):
        eyes.picture("explore", COUNT)


def test_an_index_that_is_elsewhere_is_refused_in_one_line(eyes, finding):
    with pytest.raises(Refused, match="The index of coder is not on this machine"):
        eyes.record(finding)


def test_a_feature_that_the_index_does_not_have_is_refused_in_one_line(eyes, finding, monkeypatch):
    small = SimpleNamespace(histogram_FH=np.zeros((2, 4)))
    monkeypatch.setattr(eyes, "_index_of", lambda _: small)
    with pytest.raises(Refused, match="The index has 2 features"):
        eyes.record(finding)


def explore_in(where, folder):
    """The same three pictures, as people keep them."""
    pictures = [Image.new("RGB", (40, 30), (number, 0, 0)) for number in range(3)]
    if where == "a folder":
        for number, one in enumerate(pictures):
            one.save(folder / f"{number}.png")
        return folder
    files = [io.BytesIO() for _ in pictures]
    for one, file in zip(pictures, files, strict=True):
        one.save(file, "PNG")
    rows = [{"image": {"bytes": file.getvalue(), "path": None}} for file in files]
    pq.write_table(pa.Table.from_pylist(rows), folder / "part.parquet")
    return folder / "part.parquet"


@pytest.mark.parametrize("where", ["the toybox", "a folder", "Parquet"])
def test_who_only_looks_does_not_pay_for_torch(settings, where, tmp_path, monkeypatch):
    """It takes the server from 130 MB to 390, and the first picture waits for its import."""
    if where != "the toybox":
        (tmp_path / "pictures").mkdir()
        named = explore_in(where, tmp_path / "pictures")
        monkeypatch.setenv("LMMSCOPE_DATA__EXPLORE", str(named))
    looking = (
        "import sys; from pathlib import Path; from agent.store import Reader, Store;"
        "from lmmscope.review_wiring import ReviewHands;"
        "from lmmscope.settings import load_settings; from review.app import create_app;"
        "import sae_core.index.arrays, sae_core.index.bins;"
        "runs = Path(sys.argv[1]); Store(runs).close(); store = Reader(runs);"
        "hands = ReviewHands(load_settings('toybox'), store); create_app(store, 't', hands);"
        "assert hands.picture('explore', 2); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", looking, str(settings.runs)], check=True)
