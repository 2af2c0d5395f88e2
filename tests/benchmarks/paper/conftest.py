"""A real profile's surroundings, on a stand-in of everything that it names."""

import huggingface_hub.constants
import pytest

from tests.lmmscope import stand_in


@pytest.fixture
def paper(tmp_path, monkeypatch):
    """The profile's surroundings: a filled cache, and a server."""
    stand_in.write_all(tmp_path / "hub", pictures=24)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.chdir(tmp_path)
    with stand_in.explainer() as url:
        for role in ("EXPLAINER", "JUDGE"):
            monkeypatch.setenv(f"LMMSCOPE_SERVERS__{role}__BASE_URL", url)
        yield tmp_path
