"""The models' own process: what it tells, how it ends, and that nothing of it is ever left over."""

import json
import os
import signal
import subprocess
import sys
from threading import Event, Thread
from time import monotonic, sleep

import pytest

from lmmscope import model_child
from lmmscope.lane import Stopped
from lmmscope.model_process import ModelProcess
from review.bench import Said, Trial
from sae_core.errors import UserError

LONG = 60
PLACE = """
import os, signal, time
from pathlib import Path
import numpy as np
from lmmscope.bench_place import Loaded, Meant
from lmmscope.model_child import serve
from review.bench import Said
from sae_core.errors import UserError


class Place:
    def __init__(self, opening):
        self.opening = opening

    def load(self, still):
        print("libraries like to talk")
        return Loaded(f"model of {self.opening['profile']}", str(os.getpid()))

    def index(self, still):
        return Path("/somewhere")

    def work(self, asked, telling):
        if asked.prompt == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if asked.prompt == "fault":
            raise UserError("No feature 9000")
        if asked.prompt == "bug":
            raise ZeroDivisionError
        while asked.prompt == "deaf":
            time.sleep(1)
        for words in ("a", "a red", "a red car"):
            telling.hear((Said(name="steered", text=words),))
        while asked.prompt == "endless":
            time.sleep(0.01)
            telling.still()
        return "kept"

    def meant(self, texts):
        return Meant("e", np.array([[len(one), 0.5] for one in texts], np.float32))


serve(Place)
"""


class Told:
    """Hears everything, and wants it until it is told otherwise."""

    def __init__(self):
        self.heard, self.some, self.enough = [], Event(), False

    def tell(self, **changes):
        self.heard.append(changes)
        self.some.set()

    def still(self):
        if self.enough:
            raise Stopped("stopped by hand")


def trial(prompt="what is it?"):
    return Trial(prompt=prompt, writes=[{"feature": 1, "strength": 2}])


def until(true):
    end = monotonic() + LONG
    while not true():
        assert monotonic() < end
        sleep(0.01)


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.fixture
def command(tmp_path):
    script = tmp_path / "place.py"
    script.write_text(PLACE)
    return [sys.executable, str(script)]


@pytest.fixture
def make(command):
    made = []

    def one(**options):
        made.append(ModelProcess({"profile": "toybox"}, command=command, **options))
        return made[-1]

    yield one
    for process in made:
        process.close()


def test_it_is_started_by_the_first_question_and_tells_words_as_they_come(make):
    process, told = make(), Told()
    assert not process.awake
    assert process.load(told.still).model == "model of toybox"
    assert process.work(trial(), told) == "kept"
    words = [one["replies"] for one in told.heard]
    assert words == [(Said(name="steered", text=t),) for t in ("a", "a red", "a red car")]
    assert process.meant(["one", "three"]).vectors_ND.tolist() == [[3, 0.5], [5, 0.5]]


def test_a_crash_is_told_in_a_line_and_the_next_one_gets_a_new_process(make):
    process, told = make(), Told()
    first = process.load(told.still).coder
    with pytest.raises(UserError, match=r"ended by SIGKILL: .* memory\. Try again"):
        process.work(trial("die"), told)
    assert not process.awake
    assert process.work(trial(), told) == "kept"
    assert process.load(told.still).coder != first


@pytest.mark.parametrize(
    ("prompt", "said"), [("fault", "No feature 9000"), ("bug", "ZeroDivisionError: see where")]
)
def test_a_fault_is_told_and_the_model_stays(make, prompt, said):
    process, told = make(), Told()
    first = process.load(told.still)
    with pytest.raises(UserError, match=said):
        process.work(trial(prompt), told)
    assert process.load(told.still) == first


def test_what_is_stopped_ends_and_texts_do_not_wait_for_it(make):
    process, told = make(), Told()
    ended = []

    def work():
        with pytest.raises(Stopped):
            process.work(trial("endless"), told)
        ended.append(True)

    thread = Thread(target=work)
    thread.start()
    assert told.some.wait(LONG)
    first = process.meant(["a"])
    assert first.encoder == "e"
    told.enough = True
    thread.join(LONG)
    assert ended
    assert process.awake  # what it has loaded is not lost by it


def test_what_can_not_be_stopped_takes_its_process_along(make, monkeypatch):
    monkeypatch.setattr("lmmscope.talking_child.PATIENCE", 0.1)
    process, told = make(), Told()
    pid = int(process.load(told.still).coder)
    told.enough = True
    with pytest.raises(Stopped):
        process.work(trial("deaf"), told)
    assert gone(pid)


def test_when_nobody_asks_any_more_it_ends_and_starts_again(make):
    process, told = make(idle=0.05), Told()
    pid = int(process.load(told.still).coder)
    until(lambda: not process.awake and gone(pid))
    assert process.work(trial(), told) == "kept"


def test_it_ends_with_whoever_started_it_even_if_that_was_killed(command):
    """The parent has no time to say good-bye; the child works, and hears only its input end."""
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import json, sys; from lmmscope.model_process import ModelProcess;"
            "from tests.lmmscope.test_model_process import Told, trial;"
            "process = ModelProcess({'profile': 'p'}, command=json.loads(sys.argv[1]));"
            "print(process.load(lambda: None).coder, flush=True);"
            "process.work(trial('deaf'), Told())",
            json.dumps(command),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert not gone(pid)
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    until(lambda: gone(pid))


def test_the_real_one_has_the_profile_s_models_and_the_folder_of_runs(tmp_path):
    place = model_child.place_of({"profile": "toybox", "runs": str(tmp_path)})
    assert place.lab.runs == tmp_path


def test_after_the_end_nothing_is_started(make):
    process = make()
    process.close()
    with pytest.raises(UserError, match="is ending"):
        process.load(lambda: None)
