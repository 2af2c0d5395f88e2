"""Who describes pictures: the model that is named, a server that is there anyway, or the target."""

import pytest

from lmmscope import laboratory
from lmmscope.settings import load_settings
from tools.backends import llava
from tools.backends.budget import Budget
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
