"""A run that asks for something: what it is, what it costs, and the answer to that alone."""

import os

import pytest

from review.hands import Process, Refused
from tests.agent.store.conftest import PROVENANCE, event_of
from tests.review.conftest import ATTACK

RUN, PLACE = "0304-asks", "0.2.1"
WHAT = f"Training sae-1 {ATTACK} costs about 5,000 TFLOP"


class Answering:
    """Hands that write answers down."""

    def __init__(self):
        self.answers, self.going = [], None

    async def answer(self, run, asked, *, agreed):
        if asked != PLACE:
            raise Refused(f"The run {run} does not ask for that any more: look at it again.")
        self.answers.append((run, agreed))

    def process(self, _run):
        return self.going


def asking_run(store, *, alive=False):
    """A run that stopped, or waits at a terminal, until somebody agrees."""
    store.begin(RUN, "train a coder", PROVENANCE, pid=os.getpid())
    asks = {"kind": "approval", "run": RUN, "unit": "0", "step": 2, "place": 1}
    store.hear(event_of(WHAT, result={"cost": 5000.0}, **asks))
    if not alive:
        store.ended(RUN, "paused", f"waits until somebody approves: {WHAT}")


@pytest.fixture
def hands():
    return Answering()


def test_the_page_says_what_it_costs_and_offers_both_answers(acting, store):
    asking_run(store)
    page = acting.get(f"/runs/{RUN}").text
    assert "costs about 5,000 TFLOP" in page
    assert ATTACK not in page
    for deed in ("approve", "refuse"):
        assert f'action="/runs/{RUN}/{deed}"' in page
    assert "Resume" not in page  # it would only ask again
    assert "asks for approval" in acting.get("/runs").text


@pytest.mark.parametrize(("deed", "agreed"), [("approve", True), ("refuse", False)])
def test_an_answer_is_passed_on(acting, store, hands, deed, agreed):
    asking_run(store)
    reply = acting.post(f"/runs/{RUN}/{deed}", data={"asked": PLACE})
    assert reply.headers["location"] == f"/runs/{RUN}/starting"
    assert hands.answers == [(RUN, agreed)]


def test_an_answer_to_something_else_is_refused(acting, store, hands):
    asking_run(store)
    reply = acting.post(f"/runs/{RUN}/approve", data={"asked": "1.3.1"})
    assert reply.status_code == 409
    assert "look at it again" in reply.text
    assert hands.answers == []


def test_only_the_token_may_approve(acting, store, hands):
    asking_run(store)
    acting.cookies.clear()
    assert acting.post(f"/runs/{RUN}/approve", data={"asked": PLACE}).status_code == 403
    assert hands.answers == []


def test_who_only_reads_is_told_the_command(client, store):
    asking_run(store)
    page = client.get(f"/runs/{RUN}").text
    assert f"lmmscope runs resume {RUN} --approve" in page
    assert "<button>Refuse" not in page


def test_a_run_that_asks_at_its_terminal_is_left_to_it(acting, store):
    asking_run(store, alive=True)
    page = acting.get(f"/runs/{RUN}").text
    assert "at the terminal where it was started" in page
    assert f"/runs/{RUN}/approve" not in page
    assert f"/runs/{RUN}/pause" in page


def test_a_run_whose_terminal_is_gone_is_answered_here(acting, store):
    asking_run(store, alive=True)
    store._let_go(RUN)  # as if its process had been killed
    assert f"/runs/{RUN}/approve" in acting.get(f"/runs/{RUN}").text


@pytest.mark.parametrize("agreed", [True, False])
def test_what_was_answered_is_asked_no_more(acting, store, agreed):
    asking_run(store)
    answer = {"cost": 5000.0, "agreed": agreed}
    store.hear(event_of("said", kind="approval", run=RUN, unit="0", step=2, place=2, result=answer))
    page = acting.get(f"/runs/{RUN}").text
    assert "It asks before it goes on" not in page
    assert "Resume" in page


def test_while_the_answer_is_on_its_way_nothing_is_asked(acting, store, hands):
    asking_run(store)
    hands.going = Process("starting", "loads")
    page = acting.get(f"/runs/{RUN}").text
    assert "It asks before it goes on" not in page
    assert f"/runs/{RUN}/starting" in page
