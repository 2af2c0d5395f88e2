"""Who describes pictures: the model that is named, a server that is there anyway, or the target.

Also what is made once for several commands, and what asking costs.
"""

import asyncio
import json
import threading
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from lmmscope import laboratory
from lmmscope.settings import load_settings
from sae_core.errors import UserError
from tools.backends import llava
from tools.backends.budget import Budget, Limits, OverBudget
from tools.backends.chat import ChatRequest, Message
from tools.backends.ledger import MemoryLedger


class Named:
    def __init__(self, name):
        self.name = self.identity = name


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "toybox:target"),
        ({"MODELS__DESCRIBER": "toybox:explainer"}, "toybox:explainer"),
        ({"SERVERS__EXPLAINER": '{"base_url": "http://x", "model": "large"}'}, "large"),
        (
            {
                "SERVERS__EXPLAINER": '{"base_url": "http://x", "model": "large"}',
                "SERVERS__DESCRIBER": '{"base_url": "http://y", "model": "small"}',
            },
            "small",
        ),
    ],
)
def test_the_describer(monkeypatch, tmp_path, variables, expected):
    monkeypatch.setattr(llava, "load_llava", lambda _, name: Named(name))
    monkeypatch.setenv("LMMSCOPE_RUNS", str(tmp_path))
    for name, value in variables.items():
        monkeypatch.setenv(f"LMMSCOPE_{name}", value)
    lab = laboratory.lab(load_settings("toybox"), MemoryLedger(), Budget())
    assert lab.describer.name == expected


def test_an_index_that_two_commands_want_at_once_is_built_once(monkeypatch, tmp_path):
    """Both built it, and removed each other's files: one of them ended in a traceback."""
    monkeypatch.setenv("LMMSCOPE_RUNS", str(tmp_path))
    settings = load_settings("toybox")
    nobody = SimpleNamespace(digest="c", model="m", hook="h")
    built, others, opened = [], [], []

    def want():
        laboratory._kept_index(settings, nobody, range(3), "explore")

    def build(path, _spec, _source):
        built.append(path)
        if len(built) == 1:
            others.append(threading.Thread(target=want))
            others[0].start()
            others[0].join(0.3)  # it waits, or it has built the same by then
        path.mkdir(parents=True, exist_ok=True)
        (path / "index.json").touch()

    spec = SimpleNamespace(model_dump_json=lambda: "{}")
    monkeypatch.setattr(laboratory, "index_spec", lambda *_: spec)
    monkeypatch.setattr(laboratory, "source_of", lambda *_: None)
    monkeypatch.setattr(laboratory, "counted", lambda *_: nullcontext())
    monkeypatch.setattr(laboratory, "build_with_lit", build)
    monkeypatch.setattr(laboratory.Index, "open", lambda path, **_: opened.append(path))
    want()
    others[0].join()
    assert (len(built), len(opened)) == (1, 2)


def test_a_limit_on_money_is_refused_where_nothing_has_a_price(monkeypatch, tmp_path):
    """It held nothing back: every call was counted as free."""
    monkeypatch.setenv("LMMSCOPE_RUNS", str(tmp_path))
    budget = Budget(Limits(money=5))
    with pytest.raises(UserError, match=r"--tokens"):
        laboratory.lab(load_settings("toybox"), MemoryLedger(), budget)
    server = {"base_url": "http://x", "model": "large", "tariff": {"per_million_out": 1e6}}
    monkeypatch.setenv("LMMSCOPE_SERVERS__EXPLAINER", json.dumps(server))
    lab = laboratory.lab(load_settings("toybox"), MemoryLedger(), budget)
    asked = ChatRequest(role="explainer", messages=(Message("user", ("?",)),), max_tokens=6)
    with pytest.raises(OverBudget, match="money"):
        asyncio.run(lab.explainer.reply(asked))
