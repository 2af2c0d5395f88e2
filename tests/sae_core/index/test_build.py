"""Building an index: the same whatever the order, exact, bounded, and safe to kill."""

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sae_core.errors import UserError
from sae_core.index import tally as index_tally
from sae_core.index.build import build_index, build_part, merge_index, part_files
from sae_core.index.pairs import kept
from sae_core.index.part import Part, merged
from sae_core.index.tally import Tally
from tests.sae_core.index.cases import CELLS, Case, case, spec


def _same(one: Part, other: Part) -> None:
    assert (one.spec, one.seen) == (other.spec, other.seen)
    for group in ("stats", "pairs", "pool"):
        ours, theirs = getattr(one, group), getattr(other, group)
        for name, wanted, found in zip(ours._fields, ours, theirs, strict=True):
            assert torch.equal(wanted, found), f"{group}.{name} differs"


def _part(wanted, source, *spans: range) -> Part:
    parts = []
    for span in spans:
        tally = Tally(wanted)
        for batch in source(span):
            tally.add(batch)
        parts.append(tally.part(span))
    return merged(parts)


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@settings(max_examples=15)
@given(
    seed=st.integers(0, 2**20),
    batch=st.integers(1, 50),
    order=st.integers(0, 2**20),
    cuts=st.sets(st.integers(1, 39), max_size=4),
    turned=st.booleans(),
)
def test_no_batch_size_order_or_number_of_parts_changes_anything(seed, batch, order, cuts, turned):
    given_case = case(seed=seed)
    wanted = spec(given_case, seed=seed)
    ends = [0, *sorted(cuts), 40]
    spans = [range(a, b) for a, b in pairwise(ends)][:: -1 if turned else 1]
    whole = _part(wanted, given_case.source(40), range(40))
    parts = _part(wanted, given_case.source(batch, order), *spans)
    _same(whole, parts)


@pytest.mark.parametrize(("name", "value"), [("WAITING", 0), ("TABLE", 1)])
def test_folding_and_cutting_more_often_change_nothing(monkeypatch, name, value):
    given_case = case(pictures=150)
    wanted = spec(given_case)
    whole = _part(wanted, given_case.source(150), range(150))
    monkeypatch.setattr(index_tally, name, value)
    _same(whole, _part(wanted, given_case.source(5), range(150)))


@pytest.mark.parametrize("by", ["total", "peak"])
def test_a_later_picture_with_a_smaller_number_wins_a_tie_after_folding(monkeypatch, by):
    monkeypatch.setattr(index_tally, "WAITING", 0)
    z_NPF = torch.zeros(100, CELLS, 1)
    z_NPF[:, 0] = 1
    # Pictures below 50 come last, equal in the one, and weaker in the other.
    if by == "total":
        z_NPF[:50, :2] = 0.5
    else:
        z_NPF[50:, 1] = 0.5
    given_case = Case(z_NPF, torch.zeros(100, 2))
    tally = Tally(spec(given_case))
    for span in (range(50, 100), range(50)):
        tally.add(given_case.batch(list(span)))
    kept_pictures = tally.part(range(100)).pairs.picture_M.tolist()
    assert set(range(5)) <= set(kept_pictures)


def test_merging_is_associative_where_a_part_was_merged_before():
    given_case = case()
    wanted = spec(given_case)
    a, b, c = (
        _part(wanted, given_case.source(), span)
        for span in (range(10), range(10, 25), range(25, 40))
    )
    _same(merged([merged([c, a]), b]), merged([a, merged([b, c])]))


def test_a_sum_of_parts_equals_one_pass_even_where_floats_would_not():
    given_case = case()
    z_NPF = given_case.z_NPF * 1.1e3
    z_NPF[::3] *= 1e-3
    given_case = given_case._replace(z_NPF=z_NPF)
    wanted = spec(given_case)
    whole = _part(wanted, given_case.source(40), range(40))
    _same(whole, _part(wanted, given_case.source(3, 1), range(20, 40), range(20)))


def test_what_is_kept_and_waits_does_not_grow_with_the_pictures(monkeypatch):
    monkeypatch.setattr(index_tally, "WAITING", 0)
    given_case = case(pictures=2000, features=4, share=0.5)
    wanted = spec(given_case)
    tally, most = Tally(wanted), 0
    for batch in given_case.source(20)(range(2000)):
        tally.add(batch)
        waiting = [*tally._pairs, *tally._pools]
        most = max(most, sum(sum(t.nbytes for t in held) for held in waiting))
    room = 4 * (2 * wanted.top + wanted.sample) * 2 + 20 * 4  # kept, as many waiting, a batch
    pair = 28 + 6 * 12
    picture = 8 + 4 * 6 + 4 * 20
    assert most <= room * pair + (2 * wanted.pool + 20) * picture


def test_the_finished_index_takes_no_more_bytes_for_more_pictures(tmp_path):
    sizes = []
    for pictures in (500, 2000):
        given_case = case(pictures=pictures, features=4, share=0.5)
        folder = tmp_path / str(pictures)
        build_index(folder, spec(given_case), given_case.source(100))
        sizes.append(sum(len(data) for data in _files(folder).values()))
        assert not (folder / "parts").exists()
    assert sizes[1] <= sizes[0] * 1.1


def test_building_shard_by_shard_leaves_one_part_and_the_same_index(tmp_path):
    given_case = case()
    wanted = spec(given_case)
    build_index(tmp_path / "whole", wanted, given_case.source(), shard=40)
    build_part(tmp_path / "cut", wanted, given_case.source(), shard=7)
    assert [path.name for path in part_files(tmp_path / "cut")] == [
        "pictures-0000000000-0000000040.npz"
    ]
    merge_index(tmp_path / "cut", [tmp_path / "cut"])
    assert _files(tmp_path / "whole") == _files(tmp_path / "cut")


def test_ranges_built_apart_merge_into_the_same_index(tmp_path):
    given_case = case()
    wanted = spec(given_case)
    build_index(tmp_path / "whole", wanted, given_case.source())
    for name, span in (("b", range(21, 40)), ("a", range(21))):
        build_part(tmp_path / name, wanted, given_case.source(5), span, shard=6)
    merge_index(tmp_path / "both", [tmp_path / "b", tmp_path / "a"])
    assert _files(tmp_path / "whole") == _files(tmp_path / "both")


def test_a_build_goes_on_where_it_stopped(tmp_path):
    given_case = case()
    wanted = spec(given_case)
    build_part(tmp_path, wanted, given_case.source(), range(20), shard=10)
    asked: list[range] = []

    def source(span: range):
        asked.append(span)
        return given_case.source()(span)

    build_part(tmp_path, wanted, source, shard=10)
    assert asked == [range(20, 30), range(30, 40)]


def test_a_build_that_stopped_between_renaming_and_removing_goes_on_with_the_longer_part(tmp_path):
    given_case = case()
    wanted = spec(given_case)
    build_part(tmp_path, wanted, given_case.source(), range(10))
    (short,) = part_files(tmp_path)
    bytes_before = short.read_bytes()
    build_part(tmp_path, wanted, given_case.source(), range(30))
    short.write_bytes(bytes_before)
    assert [path.stem for path in part_files(tmp_path)] == ["pictures-0000000000-0000000030"]


KILLING = """
import os, random, signal, sys, time
from pathlib import Path
from sae_core.index.build import build_part, part_files
from tests.sae_core.index.cases import case, spec

folder, given = Path(sys.argv[1]), case(pictures=60)

def source(span):
    for batch in given.source(3)(span):
        time.sleep(0.002)
        yield batch

def build():
    child = os.fork()
    if not child:
        build_part(folder, spec(given), source, shard=6)
        os._exit(0)
    return child

ENDED = os.WEXITED | os.WNOHANG | os.WNOWAIT
random.seed(0)
for _ in range(4):
    before, child = part_files(folder), build()
    # On a busy machine a build may end before it is killed; then the next one changes nothing.
    while part_files(folder) == before and not os.waitid(os.P_PID, child, ENDED):
        time.sleep(0.001)
    time.sleep(random.uniform(0, 0.03))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    print("killed" if os.WIFSIGNALED(status) else "finished", part_files(folder)[0].stem)
sys.exit(os.waitpid(build(), 0)[1])
"""


def test_a_build_killed_at_random_points_ends_with_the_same_index(tmp_path):
    given_case = case(pictures=60)
    build_index(tmp_path / "whole", spec(given_case), given_case.source())
    # One process imports torch and forks every build, since importing is slow.
    done = subprocess.run(
        [sys.executable, "-c", KILLING, str(tmp_path / "killed")],
        capture_output=True,
        check=True,
        timeout=120,
        env=os.environ | {"PYTHONPATH": str(Path.cwd()), "OMP_NUM_THREADS": "1"},
    )
    assert b"killed" in done.stdout
    merge_index(tmp_path / "killed", [tmp_path / "killed"])
    assert _files(tmp_path / "whole") == _files(tmp_path / "killed")


def test_a_part_of_another_sae_is_refused_with_both_sides_named(tmp_path):
    given_case = case()
    build_part(tmp_path, spec(given_case), given_case.source(), range(20))
    with pytest.raises(UserError, match=r"coder c0de, not beef.*another folder"):
        build_part(tmp_path, spec(given_case, coder="beef"), given_case.source())


def test_parts_of_different_picture_sets_do_not_merge():
    given_case = case()
    parts = [
        _part(spec(given_case, pictures=name), given_case.source(), span)
        for name, span in (("one", range(20)), ("two", range(20, 40)))
    ]
    with pytest.raises(UserError, match=r"from picture 20 was built with pictures two, not one"):
        merged(parts)


def test_pictures_in_two_parts_are_refused():
    given_case = case()
    wanted = spec(given_case)
    parts = [_part(wanted, given_case.source(), span) for span in (range(25), range(20, 40))]
    with pytest.raises(UserError, match=r"Pictures 20 to 24 are in two parts"):
        merged(parts)


@pytest.mark.parametrize(
    ("spans", "named"),
    [
        ([range(10, 40)], "0 to 9"),
        ([range(30)], "30 to 39"),
        ([range(9), range(12, 40)], "9 to 11"),
    ],
)
def test_an_index_with_missing_pictures_is_not_finished(tmp_path, spans, named):
    given_case = case()
    for span in spans:
        build_part(tmp_path, spec(given_case), given_case.source(), span)
    with pytest.raises(UserError, match=f"Pictures {named} of 40 are in no part"):
        merge_index(tmp_path, [tmp_path])


@pytest.mark.parametrize("span", [range(30, 41), range(5, 5), range(-1, 4)])
def test_pictures_that_the_set_does_not_have_are_refused(tmp_path, span):
    given_case = case()
    with pytest.raises(UserError, match=r"No pictures .* it has 40 \(0 to 39\)"):
        build_part(tmp_path, spec(given_case), given_case.source(), span)


def test_a_damaged_part_is_named(tmp_path):
    given_case = case()
    build_part(tmp_path, spec(given_case), given_case.source(), range(20))
    (path,) = part_files(tmp_path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UserError, match=f"{path} is no part of an index"):
        build_part(tmp_path, spec(given_case), given_case.source())


def test_a_source_that_leaves_pictures_out_is_caught(tmp_path):
    given_case = case()
    with pytest.raises(ValueError, match="each of the pictures"):
        build_part(tmp_path, spec(given_case), lambda _: given_case.source()(range(5)))


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_activations_that_are_no_numbers_are_refused(number):
    given_case = case()
    batch = given_case.batch([3, 4])
    batch.code.values_NK[1, 2, 0] = number
    with pytest.raises(UserError, match="NaN or infinite activations in the code of pictures 3 to"):
        Tally(spec(given_case)).add(batch)


def test_a_batch_with_another_grid_is_refused():
    given_case = case()
    with pytest.raises(UserError, match="base grid of 3 x 4, this index one of 2 x 6"):
        Tally(spec(given_case, grid=(2, 6))).add(given_case.batch([0]))


def test_bfloat16_codes_are_counted_as_the_numbers_they_are():
    given_case = case()
    wanted = spec(given_case)
    exact = given_case.batch(list(range(40)))
    half = exact._replace(code=exact.code._replace(values_NK=exact.code.values_NK.bfloat16()))
    parts = []
    for batch in (exact, half):
        tally = Tally(wanted)
        tally.add(batch)
        parts.append(tally.part(range(40)))
    _same(*parts)
    assert kept([parts[0].pairs], wanted).pairs.value_C.dtype == torch.float32
