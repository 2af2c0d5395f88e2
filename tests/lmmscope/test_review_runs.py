"""Runs that the pages begin and stop, worked on by small processes that take up a run and wait."""

import json
import os
import sys
from time import monotonic

import anyio
import pytest

from agent.store import Store
from lmmscope.review_runs import RunProcesses
from review.hands import Refused
from tests.agent.store.conftest import PROVENANCE, event_of

pytestmark = pytest.mark.anyio
WORKER = """
import json, signal, sys
from agent.store import Store
from tests.agent.store.conftest import PROVENANCE, event_of
runs, arguments = sys.argv[sys.argv.index("--runs") + 1], sys.argv[1:]
if "fail" in arguments:
    sys.exit("No such thing. Try another one")
signals = []
signal.signal(signal.SIGINT, lambda *_: signals.append(1))
again = arguments[0] == "runs"
run = arguments[2 if again else arguments.index("--run") + 1]
with Store(__import__("pathlib").Path(runs)) as store:
    pid = __import__("os").getpid()
    store.resumed(run, pid=pid) if again else store.begin(run, json.dumps(arguments), PROVENANCE, pid=pid)
    if again:
        store.hear(event_of(json.dumps(arguments), run=run, unit="1", step=9, kind="note"))
    if "--approve" in arguments:
        answer = {"cost": 5.0, "agreed": True}
        store.hear(event_of("yes", run=run, unit="0", step=2, place=1, kind="approval", result=answer))
    while not signals:
        signal.pause()
    if "stubborn" in arguments:
        while len(signals) < 2:
            signal.pause()
        store.ended(run, "failed", "CancelledError")
    else:
        store.ended(run, "paused", "stopped")
        sys.exit(75)
"""  # noqa: E501


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "runs") as made:
        yield made


@pytest.fixture
def processes(store, tmp_path):
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    made = RunProcesses(store, "toybox", [sys.executable, str(script)])
    yield made
    made.close()
    for process in (*made._former, *(one.process for one in made._children.values())):
        process.kill()
        process.wait()


async def until(true):
    end = monotonic() + 60
    while not true():
        assert monotonic() < end
        await anyio.sleep(0.02)


async def test_a_run_has_its_id_at_once_and_pauses_and_goes_on(processes, store):
    run = await processes.ask("--what is 3?")
    assert processes.process(run).doing == "starting"
    await until(lambda: processes.process(run) is None)
    record = store.run(run)
    assert record.alive
    given = json.loads(record.question)
    assert given[:3] == ["ask", "--run", run]
    assert given[-2:] == ["--", "--what is 3?"]
    assert given[given.index("--profile") + 1] == "toybox"
    with pytest.raises(Refused, match="being worked on"):
        await processes.resume(run)
    await processes.pause(run)
    await until(lambda: not store.run(run).alive)
    assert store.run(run).status == "paused"
    assert processes.process(run) is None
    with pytest.raises(Refused, match=r"Nobody works on .* it is paused"):
        await processes.pause(run)
    await processes.resume(run)
    await until(lambda: store.run(run).alive)


async def test_abort_insists_and_marks_the_run(processes, store):
    run = await processes.ask("stubborn")
    await until(lambda: processes.process(run) is None)
    await processes.abort(run)
    assert store.run(run).status == "aborted"
    assert not store.run(run).alive


async def test_what_stopped_before_is_marked_alone(processes, store):
    store.begin("r1", "q", PROVENANCE, pid=os.getpid())
    store._let_go("r1")
    await processes.abort("r1")
    assert store.run("r1").status == "aborted"
    store.ended("r1", "done", "42")
    for deed in (processes.abort, processes.resume):
        with pytest.raises(Refused, match="is done"):
            await deed("r1")


async def test_who_waits_for_a_writer_does_not_hold_up_all_pages(processes, store):
    """A deed waited on the server's loop for as long as ten seconds, and every page with it."""
    store.begin("r1", "q", PROVENANCE, pid=os.getpid())
    store._let_go("r1")
    async with anyio.create_task_group() as group:
        with store._file.change():  # another writer is at work
            group.start_soon(processes.abort, "r1")
            for _ in range(5):
                await anyio.sleep(0.02)
            assert store.rows("SELECT status FROM runs")[0]["status"] == "running"
    assert store.run("r1").status == "aborted"


async def test_a_run_of_this_very_process_is_left_alone(processes, store):
    store.begin("r1", "q", PROVENANCE, pid=os.getpid())
    with pytest.raises(Refused, match="by this process"):
        await processes.pause("r1")


async def test_what_did_not_start_says_what_it_printed(processes):
    run = await processes.ask("fail")
    await until(lambda: processes.process(run).doing == "failed")
    assert processes.process(run).said == "No such thing. Try another one"


async def test_an_answer_goes_to_what_was_asked_and_to_nothing_else(processes, store):
    store.begin("r1", "q", PROVENANCE, pid=os.getpid())
    asks = event_of("costs 5", run="r1", unit="0", step=2, kind="approval", result={"cost": 5.0})
    store.hear(asks)
    store.ended("r1", "paused", "waits")
    with pytest.raises(Refused, match="does not ask for that any more"):
        await processes.answer("r1", "0.1.0", agreed=True)
    await processes.answer("r1", "0.2.0", agreed=True)
    assert processes.process("r1").doing == "starting"
    await until(lambda: processes.process("r1") is None)
    (told,) = [one.text for one in store.events("r1") if one.kind == "note"]
    assert json.loads(told)[:4] == ["runs", "resume", "r1", "--approve"]
    with pytest.raises(Refused, match="does not ask for that any more"):
        await processes.answer("r1", "0.2.0", agreed=True)


async def test_only_so_many_go_on_at_once(processes):
    runs = [await processes.ask("one"), await processes.ask("two")]
    with pytest.raises(Refused, match=f"{runs[0]}, {runs[1]}"):
        await processes.ask("three")


async def test_who_ends_the_server_pauses_what_was_started_there(processes, store):
    run = await processes.ask("one")
    await until(lambda: processes.process(run) is None)
    processes.close()
    await until(lambda: not store.run(run).alive)
    assert store.run(run).status == "paused"
