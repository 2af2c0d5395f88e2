"""Every snippet of the guides runs as it stands, on few pictures, in the order of its page."""

import io
import json
import re
import shlex
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lmmscope.cli import app
from lmmscope.settings import load_settings

DOCS = Path(__file__).parents[2] / "docs"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
PAGES = [page for page in sorted(DOCS.glob("*.md")) if page.name != "log.md"]
ON_REAL_MODELS = ("own-model", "paper")
"""These are followed on a stand-in of real models, in test_real_models.py."""
REFERENCE = "commands"
"""Made of --help; how commands are put together is no command."""
ON_THE_TOYBOX = [page for page in PAGES if page.stem not in (*ON_REAL_MODELS, REFERENCE)]
FEW = {
    "LMMSCOPE_DATA__EXPLORE_PICTURES": "40",
    "LMMSCOPE_DATA__HELD_OUT_PICTURES": "40",
}


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """One folder for all pages, so that what one page found out is known to the next."""
    return tmp_path_factory.mktemp("room")


@pytest.mark.parametrize("page", ON_THE_TOYBOX, ids=lambda page: page.stem)
def test_every_snippet_runs(page, room, monkeypatch):
    for name, value in FEW.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(room)
    known = {"__name__": page.stem}
    text = page.read_text(encoding="utf-8")
    for found in FENCE.finditer(text):
        line = text[: found.start()].count("\n") + 1
        run(found[1], found[2], f"{page.name}:{line}", known)
    if scope := known.get("scope"):
        scope.close()


def run(kind, snippet, where, known):
    match kind:
        case "python":
            with redirect_stdout(io.StringIO()):
                exec(compile(snippet, where, "exec"), known)
        case "console":
            for line in snippet.splitlines():
                entered(line, where)
        case "toml":
            Path("own.toml").write_text(snippet, encoding="utf-8")
            load_settings("own.toml")
        case "json":
            for server in json.loads(snippet)["mcpServers"].values():
                entered(shlex.join(["$", server["command"], *server["args"], "--help"]), where)
        case _:
            pytest.fail(f"{where}: nothing runs a snippet of {kind or 'no kind'}")


def entered(line, where):
    """A line at a prompt: `make ask` is the command of the same name."""
    _, command, *rest = shlex.split(line.replace("'$'", "$"))
    if (command, rest[0]) == ("make", "ask"):
        rest = ["ask", rest[1].removeprefix("Q=")]
    else:
        assert command == "lmmscope", f"{where}: {line}"
    done = CliRunner().invoke(app, rest)
    assert done.exit_code == 0, f"{where}: {line}: {done.output}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_leads_somewhere(page):
    for place in LINK.findall(page.read_text(encoding="utf-8")):
        assert (DOCS / place).exists(), f"{page.name} links to {place}"
