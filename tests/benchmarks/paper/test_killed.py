"""A table's command is killed midway; the second one goes on and comes to the same table."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from benchmarks.paper import chance, scoring, table1, table2
from tests.lmmscope import stand_in_server

ROOT = Path(__file__).parents[3]
PROFILE = ("--profile", "llava-next-8b")
FEATURES = 5
"""More than are asked about at the same time, so that some wait for others to be kept."""
CHILD = """
from benchmarks.paper import {0}, chance, scoring
chance.SIZE, scoring.HELD_OUT = {1}, {2}
{0}.main()
"""


class Gate:
    """An explainer that answers until so much is kept, and then keeps everybody waiting."""

    def __init__(self, kept, files, answer):
        self._kept, self._files, self._answer = kept, files, answer
        self.reached, self.opened = threading.Event(), threading.Event()

    def __call__(self, content):
        if not self.opened.is_set() and len(measured(self._kept)) >= self._files:
            self.reached.set()
            self.opened.wait(60)
        return self._answer(content)


def measured(kept):
    """Every result that is kept, and when it was written."""
    return {file: file.stat().st_mtime_ns for file in kept.rglob("*.json")}


def killed(command, runs, gate, hub):
    """A command of its own process that does not get beyond the gate."""
    words = [*PROFILE, "--features", str(FEATURES), "--runs", str(runs)]
    script = CHILD.format(command, chance.SIZE, scoring.HELD_OUT)
    child = subprocess.Popen(
        [sys.executable, "-c", script, *words],
        env=os.environ | {"HF_HUB_CACHE": str(hub), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not gate.reached.wait(0.05) and child.poll() is None:
        pass
    child.kill()
    _, said = child.communicate()
    gate.opened.set()
    return child.returncode, said


@pytest.mark.parametrize(
    ("table", "files"), [(table1, 1), (table2, FEATURES + 1)], ids=["labels", "scores"]
)
def test_a_killed_table_goes_on_and_measures_nothing_twice(
    table, files, paper, hub, prints, monkeypatch
):
    """Table 1 while features are labelled, Table 2 while labels are scored."""
    few = [*PROFILE, "--features", str(FEATURES), "--runs"]
    whole = prints(table.main, *few, str(paper / "whole"))
    every = measured(paper / "whole" / "paper" / "kept")
    runs = paper / "again"
    kept = runs / "paper" / "kept"
    gate = Gate(kept, files, stand_in_server._reply)
    monkeypatch.setattr(stand_in_server, "_reply", gate)
    code, said = killed(table.__name__.rpartition(".")[2], runs, gate, hub)
    assert code == -signal.SIGKILL, said
    before = measured(kept)
    assert files <= len(before) < len(every)
    assert prints(table.main, *few, str(runs)) == whole
    after = measured(kept)
    assert {file: after[file] for file in before} == before
    assert {file.name for file in after} == {file.name for file in every}
