"""What all tests share: no network, no deadlines, no settings of whoever runs them."""

import os

import pytest
from hypothesis import settings

# Without a deadline, since a busy machine is no fault; the same examples each time, so that a
# failure is one for everybody.
settings.register_profile("lmmscope", deadline=None, derandomize=True)
settings.load_profile("lmmscope")

# Read when huggingface_hub is first imported, so before any test module is.
os.environ["HF_HUB_OFFLINE"] = "1"


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch):
    for name in list(os.environ):
        if name.upper().startswith("LMMSCOPE_"):
            monkeypatch.delenv(name)
