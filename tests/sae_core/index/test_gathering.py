"""Parts that are counted elsewhere come in any order, and make the index of one process."""

import random
from pathlib import Path

import pytest

from sae_core.errors import UserError
from sae_core.index import gathering
from sae_core.index.build import build_index, build_part, count_part, finish, part_files
from sae_core.index.gathering import Gathering
from sae_core.index.part import save_part
from tests.sae_core.index.cases import case, spec

PICTURES = 60
CASE = case(pictures=PICTURES)
SPEC = spec(CASE)
ALL = range(PICTURES)


def counted(span):
    return count_part(SPEC, CASE.source(3), span)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    build_index(folder, SPEC, CASE.source())
    return files(folder)


@pytest.mark.parametrize("seed", range(5))
def test_parts_in_any_order_make_the_same_index(tmp_path, whole, seed):
    parts = Gathering(tmp_path, SPEC, ALL)
    pieces = parts.missing(7, 1)
    random.Random(seed).shuffle(pieces)
    for piece in pieces:
        parts.add(counted(piece))
    finish(tmp_path, [parts.whole()])
    assert files(tmp_path) == whole


def test_parts_that_touch_are_one_file(tmp_path):
    parts = Gathering(tmp_path, SPEC, ALL)
    for piece in (range(10, 20), range(30, 40), range(20, 30), range(10)):
        parts.add(counted(piece))
    assert [path.stem for path in part_files(tmp_path)] == ["pictures-0000000000-0000000040"]


def test_only_what_is_missing_is_asked_for_again(tmp_path):
    before = Gathering(tmp_path, SPEC, ALL)
    for piece in (range(10), range(30, 40)):
        before.add(counted(piece))
    after = Gathering(tmp_path, SPEC, ALL)
    assert after.missing(10, 1) == [range(a, a + 10) for a in (10, 20, 40, 50)]


def test_what_a_process_in_one_piece_has_done_counts(tmp_path, whole):
    build_part(tmp_path, SPEC, CASE.source(), range(25))
    parts = Gathering(tmp_path, SPEC, ALL)
    for piece in parts.missing(10, 1):
        parts.add(counted(piece))
    finish(tmp_path, [parts.whole()])
    assert files(tmp_path) == whole


def test_a_process_that_died_between_joining_and_removing_counts_nothing_twice(tmp_path, whole):
    parts = Gathering(tmp_path, SPEC, ALL)
    parts.add(counted(range(20)))
    parts.add(counted(range(20, 40)))
    folder = part_files(tmp_path)[0].parent
    save_part(counted(range(20, 40)), folder / "pictures-0000000020-0000000040.npz")
    (folder / "pictures-0000000040-0000000050.npz.tmp").write_bytes(b"half")
    after = Gathering(tmp_path, SPEC, ALL)
    assert after.missing(20, 1) == [range(40, 60)]
    after.add(counted(range(40, 60)))
    finish(tmp_path, [after.whole()])
    assert files(tmp_path) == whole


def test_batches_are_those_of_one_process(tmp_path, monkeypatch):
    """What a model computes may depend on which pictures it sees together."""
    monkeypatch.setattr(gathering, "SHARD", 16)
    alone = {tuple(range(a, min(a + 6, s + 16, PICTURES))) for s in range(0, PICTURES, 16)
             for a in range(s, min(s + 16, PICTURES), 6)}  # fmt: skip
    parts = Gathering(tmp_path, SPEC, ALL)
    parts.add(counted(range(12)))
    pieces = [range(12), *parts.missing(13, 6)]
    seen = {tuple(p)[a : a + 6] for p in pieces for a in range(0, len(p), 6)}
    assert seen == alone
    assert max(map(len, pieces)) == 12


def test_neighbours_that_another_process_builds_are_left_alone(tmp_path):
    build_part(tmp_path, SPEC, CASE.source(), range(20))
    parts = Gathering(tmp_path, SPEC, range(20, 60))
    parts.add(counted(range(20, 60)))
    assert len(part_files(tmp_path)) == 2
    assert parts.whole().seen == (range(20, 60),)


def test_parts_that_go_beyond_what_is_asked_for_are_refused(tmp_path):
    build_part(tmp_path, SPEC, CASE.source(), range(30))
    with pytest.raises(UserError, match="beyond 20 to 59"):
        Gathering(tmp_path, SPEC, range(20, 60))


def test_parts_of_another_coder_are_refused(tmp_path):
    build_part(tmp_path, SPEC, CASE.source(), range(30))
    with pytest.raises(UserError, match="built with coder c0de, not other"):
        Gathering(tmp_path, spec(CASE, coder="other"), ALL)


def test_what_is_not_whole_is_not_finished(tmp_path):
    parts = Gathering(tmp_path, SPEC, ALL)
    parts.add(counted(range(30)))
    with pytest.raises(ValueError, match="missing"):
        parts.whole()
