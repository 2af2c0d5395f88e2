"""A lab on planted features of the toybox, whose meanings are known.

Indexes are built once for all tests; artefacts go to each test's own folder. Chat models answer
from a script, and fail when it runs out.
"""

from typing import NamedTuple

import pytest

from sae_core.index.build import build_index
from sae_core.index.observer import source_of, spec_of
from sae_core.index.query import Index
from tools.backends.chat import ChatReply, ChatRequest
from tools.evidence import Evidence
from tools.failures import WontWork
from tools.lab import Lab, Makers
from tools.top_images import TopImagesArguments, top_images
from toybox.conversations import ToyboxPictures
from toybox.planted import PlantedObserver

SEED = 0
SIZES = {"explore": 300, "validate": 200, "test": 60}


class Scripted:
    """A ChatModel that gives its replies in turn, and remembers what it was asked."""

    name = identity = "scripted"

    def __init__(self, *replies):
        self.replies, self.asked = list(replies), []

    async def reply(self, request: ChatRequest) -> ChatReply:
        self.asked.append(request)
        if not self.replies:
            raise AssertionError(f"nothing is left to say to {request.messages[-1].text!r}")
        said = self.replies.pop(0)
        if isinstance(said, Exception):
            raise said
        text = said(request) if callable(said) else said
        return ChatReply(text=text, model=self.name)


class World(NamedTuple):
    """What all labs of the tests share."""

    observer: PlantedObserver
    pictures: dict[str, ToyboxPictures]
    indexes: dict[str, Index]


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    observer = PlantedObserver(SEED)
    pictures = {split: ToyboxPictures(split, size) for split, size in SIZES.items()}
    indexes = {}
    for split in ("explore", "validate"):
        folder = tmp_path_factory.mktemp("index") / split
        build_index(
            folder, spec_of(observer, pictures[split]), source_of(observer, pictures[split])
        )
        indexes[split] = Index.open(folder)
    return World(observer, pictures, indexes)


def _unset(role):
    def make():
        raise WontWork(f"This lab has no {role}")

    return make


@pytest.fixture
def make_lab(world, tmp_path):
    """A lab with other parts than the usual ones, such as make_lab(judge=Scripted("1"))."""

    def make(*, seed=0, pictures=None, indexes=None, **parts):
        usual = {"observer": world.observer}
        made = {name: (lambda part=part: part) for name, part in (usual | parts).items()}
        roles = ("explainer", "judge", "grounder", "clip")
        made = {role: _unset(role) for role in roles} | made
        made["index"] = (indexes or world.indexes).__getitem__
        return Lab(Makers(**made), pictures or world.pictures, tmp_path / "runs", seed=seed)

    return make


@pytest.fixture
def lab(make_lab):
    """The usual lab, without any model that could be asked."""
    return make_lab()


@pytest.fixture
def feature_of(world):
    """A planted feature's number by its label; without one the first of a rule."""

    def find(label=None, rule="single"):
        for number, planted in enumerate(world.observer.planted):
            if label == planted.label or (label is None and planted.rule == rule):
                return number
        raise AssertionError(f"no planted feature {label or rule!r}")

    return find


@pytest.fixture
def evidence_of():
    """A feature's evidence and its artefact id: evidence_of(lab, feature, split=..., top=...)."""

    def gather(lab, feature, **amounts) -> tuple[str, Evidence]:
        found = top_images.function(lab, TopImagesArguments(feature=feature, **amounts))
        return found.evidence, lab.artefacts.document(found.evidence, Evidence)

    return gather
