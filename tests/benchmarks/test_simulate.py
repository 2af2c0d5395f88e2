"""The simulated scheduler is the real one, only faster."""

import asyncio
import json
import sys

import pytest

from benchmarks.simulate import __main__ as command
from benchmarks.simulate.clock import lasting
from benchmarks.simulate.queues import Setup, batch, helping
from benchmarks.simulate.recorded import PLACES, measured
from benchmarks.simulate.replay import replayed


@pytest.fixture(scope="module")
def recorded():
    return measured()


@pytest.mark.parametrize(
    "setup",
    [Setup(1, 1, 1, 1), Setup(4, 1, 2, 3), Setup(16, 4, 2, 1), Setup(96, 4, 8, 48)],
    ids=str,
)
def test_a_batch_takes_as_long_as_the_batch_own_code_would(recorded, setup):
    assert batch(recorded, 120, setup, seed=3).seconds == pytest.approx(
        replayed(recorded, 120, setup, seed=3), rel=1e-9
    )


def test_one_worker_alone_takes_the_sum_of_all_work(recorded):
    alone = batch(recorded, 30, Setup(workers=1, replicas=1, concurrency=1, targets=1))
    assert sum(alone.busy.values()) == pytest.approx(1)


def test_of_what_everybody_waits_for_twice_as_many_serve_twice_as_fast(recorded):
    slow = batch(recorded, 2000, Setup(64, replicas=1, concurrency=1000, targets=4))
    fast = batch(recorded, 2000, Setup(64, replicas=1, concurrency=1000, targets=8))
    assert slow.bottleneck == "target"
    assert fast.per_hour == pytest.approx(2 * slow.per_hour, rel=0.03)
    assert slow.per_hour == pytest.approx(3600 * 4 / recorded.mean("target"), rel=0.06)


def test_as_many_workers_as_an_explainer_answers_keep_it_busy(recorded):
    slow = recorded.with_means(explainer=3.0)
    busy = {n: batch(slow, 500, Setup(n, 1, 8, 64), seed=0).busy["explainer"] for n in (4, 8)}
    assert busy[8] > 0.9 > busy[4]


def test_more_workers_are_tried_until_they_stop_helping(recorded):
    found = helping(recorded, Setup(1, replicas=8, concurrency=8, targets=2), features=400)
    rates = [one.per_hour for one in found]
    assert rates[1] > 1.8 * rates[0]
    assert rates[-1] < 1.05 * rates[-2]
    assert found[-1].bottleneck == "target"


def test_given_means_take_the_place_of_the_recorded_ones(recorded):
    given = recorded.with_means(explainer=2.0, target=7.0)
    assert given.mean("explainer") == pytest.approx(2.0 * recorded.calls())
    assert given.mean("target") == pytest.approx(7.0)
    assert given.mean("writer") == recorded.mean("writer")


def test_the_recorded_batch_is_simulated_as_fast_as_it_was(recorded):
    assert command.as_it_was(recorded) == pytest.approx(recorded.per_minute, rel=0.1)


def test_hours_of_waiting_go_by_at_once():
    assert lasting(asyncio.sleep(7200, "done")) == ("done", pytest.approx(7200))


def test_waiting_for_nothing_is_a_bug_and_not_a_hang():
    async def forever():
        await asyncio.get_running_loop().create_future()

    with pytest.raises(RuntimeError, match="no timer will bring about"):
        lasting(forever())


def test_json_tells_how_busy_each_place_is(monkeypatch, capsys):
    monkeypatch.setattr(command, "CHECKED", 20)
    monkeypatch.setattr(sys, "argv", ["simulate", "--features", "300", "--json"])
    command.main()
    told = json.loads(capsys.readouterr().out)
    assert set(told["busy"]) == set(PLACES)
    assert told["apart_from_the_batch_itself_seconds"] < 1e-6
    assert told["per_hour"] == pytest.approx(3600 * 300 / told["seconds"])
