"""A finding's key says everything that the finding depends on: else an old one would count."""

from types import SimpleNamespace

import pytest

from agent.desk import Rules
from agent.provenance import feature_key, provenance
from tools.failures import WontWork


def lab_of(**others):
    def sealed(_split):
        raise WontWork("none")

    parts = ("explainer", "judge", "grounder", "clip", "editor")
    named = {part: SimpleNamespace(identity=others.get(part, part)) for part in parts}
    seeing = SimpleNamespace(model="m", hook="h", digest="coder")
    edits = others.get("edits", True)
    return SimpleNamespace(observer=seeing, opening=sealed, seed=0, edits=edits, **named)


def key_of(lab):
    return feature_key(provenance(lab, "p"), 3, Rules())


@pytest.mark.parametrize(
    "other", [{part: "new"} for part in ("explainer", "judge", "grounder", "clip", "editor")]
)
def test_with_another_model_it_is_another_question(other):
    assert key_of(lab_of(**other)) != key_of(lab_of())


def test_without_an_editor_it_is_another_question():
    assert key_of(lab_of(edits=False)) != key_of(lab_of())
