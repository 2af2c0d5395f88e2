"""The race of caching is between equals, and says why somebody took no part."""

import importlib.util
import json
import runpy
import sys
from types import SimpleNamespace

import pytest

from benchmarks.peers import caching
from benchmarks.peers.caching import Cell, Contestant, Measured, contestants, race, told
from benchmarks.peers.environments import RUNNERS, TooLong

CELL = Cell(pictures=8, features=60, k=3)


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """A runner in this process, as `environments.run` starts it in another one."""
    for shared in ("common", "codes"):
        spec = importlib.util.spec_from_file_location(shared, RUNNERS / f"{shared}.py")
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, shared, module)
        spec.loader.exec_module(module)

    def run(runner, whole=False):
        room = tmp_path / f"{runner}-{whole}"
        room.mkdir()
        setting = {
            "pictures": CELL.pictures, "features": CELL.features, "k": CELL.k, "cells": 16,
            "batch": 4, "seed": 0, "threads": 1, "whole": whole,
            "folder": str(room / "kept"), "chosen": str(room / "chosen.json"),
        }  # fmt: skip
        (room / "setting.json").write_text(json.dumps(setting))
        monkeypatch.setattr(sys, "argv", [runner, str(room / "setting.json")])
        runpy.run_path(str(RUNNERS / f"{runner}.py"))
        took = json.loads(capsys.readouterr().out.splitlines()[-1])
        return SimpleNamespace(took=took, chosen=json.loads((room / "chosen.json").read_text()))

    return run


def test_all_of_ours_choose_the_same_pictures_with_the_same_means(run):
    index, whole, dense = (
        run("caching_lmmscope"),
        run("caching_lmmscope", True),
        run("caching_dense"),
    )
    assert len(index.chosen) > 20
    assert index.chosen == whole.chosen
    for one, other in zip(index.chosen, dense.chosen, strict=True):
        assert one["feature"] == other["feature"]
        assert one["pictures"] == other["pictures"]
        assert one["means"] == pytest.approx(other["means"], abs=1e-5)
    for kept in (index, whole, dense):
        assert kept.took["disk_megabytes"] > 0
        assert kept.took["caching"] > 0


def test_codes_depend_on_the_picture_and_not_on_its_batch(run):
    run("caching_dense")
    task = sys.modules["codes"].Caching()
    several, alone = task.codes(range(3)), task.codes(range(1, 2))
    assert several.index_BPK[1].equal(alone.index_BPK[0])
    assert several.value_BPK[1].equal(alone.value_BPK[0])
    assert not several.index_BPK[0].equal(several.index_BPK[1])


def raced(*who):
    return list(race(CELL, who, rounds=3, longest=60, seed=0, threads=1))


def test_what_cannot_fit_is_worked_out_and_not_tried(monkeypatch):
    monkeypatch.setattr(caching, "free_bytes", lambda: 1_000)
    monkeypatch.setattr(caching, "run", pytest.fail)
    (found,) = raced(Contestant("dense", "caching_dense"))
    assert found.seconds is None
    assert found.instead.startswith("needs ")


def test_the_densest_cell_needs_what_the_arithmetic_says():
    assert Cell(10_000, 100_000).dense_bytes() == pytest.approx(
        4 * 576 * 100_000 * 9 + 2 * 10_000 * 576 * 32 * 28
    )


def test_what_takes_too_long_is_said(monkeypatch):
    def slow(*_, **__):
        raise TooLong("stopped")

    monkeypatch.setattr(caching, "run", slow)
    (found,) = raced(Contestant("dense", "caching_dense"))
    assert found.instead == "over 60 s"


def test_what_wants_more_memory_than_there_is_ends_by_itself_and_is_said(monkeypatch):
    """Once a run took all of the machine's: another one ended, and so did the whole race."""
    monkeypatch.setattr(caching, "free_bytes", lambda: 650_000_000)
    (found,) = race(
        Cell(400, 1_000), [Contestant("dense", "caching_dense")],
        rounds=1, longest=60, seed=0, threads=1,
    )  # fmt: skip
    assert (found.seconds, found.instead) == (None, "over 1 GB")


@pytest.mark.parametrize(("seconds", "rounds"), [(1.0, 3), (30.0, 1)])
def test_the_median_is_of_repeats_where_they_are_short(seconds, rounds, monkeypatch):
    def quick(_peer, _runner, _setting, room, **_):
        (room / "kept").mkdir()
        (room / "chosen.json").write_text('[{"feature": 1, "pictures": [1], "means": [1.0]}]')
        return {
            "caching": seconds, "choosing": seconds, "more_megabytes": 1, "disk_megabytes": 1
        }  # fmt: skip

    monkeypatch.setattr(caching, "run", quick)
    found = raced(*contestants(delphi=False))
    assert {one.rounds for one in found} == {rounds}
    assert {one.same for one in found} == {1.0}
    assert {one.seconds for one in found} == {2 * seconds}


def test_the_table_tells_times_and_reasons(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "160")
    ours = Measured("lmmscope", 8, 60, 1.0, 1.0, 5, 1, 1.0, 3)
    slow = ours._replace(name="dense", caching=7.0)
    told([ours, slow, ours._replace(name="delphi", caching=None, instead="over 60 s")], "")
    rows = {line.split("│")[3].strip(): line for line in capsys.readouterr().out.splitlines()[4:7]}
    assert "│   4.0 │" in rows["dense"]
    assert "over 60 s" in rows["delphi"]
