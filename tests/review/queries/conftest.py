"""Small stores of runs, events and findings."""

import os

import pytest

from agent.store import Store
from tests.agent.store.conftest import PROVENANCE


@pytest.fixture
def store(runs):
    """A store with a run r1 that this process works on."""
    with Store(runs, patience=0.05) as made:
        made.begin("r1", "what is feature 118?", PROVENANCE, pid=os.getpid())
        yield made


@pytest.fixture
def empty(runs):
    """A store that nothing is in."""
    with Store(runs) as made:
        yield made
