"""`lmmscope serve` as a user calls it: with a stand-in for SGLang, and for real on the toybox."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
import tomllib
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lmmscope.cli import app
from lmmscope.doctor_servers import server_check
from lmmscope.engines import check_installed, url_of
from sae_core.errors import UserError
from tools.backends.chat import ChatRequest, Message
from tools.backends.config import ServerConfig
from tools.backends.server import ServerChat
from toybox.models import Prompt, load_target, weights_folder
from toybox.planted import plant
from toybox.world_draw import draw_scene
from toybox.world_splits import fresh_scene

TARGET = str(weights_folder("target"))
STAND_IN = textwrap.dedent(
    """\
    #!{python}
    # Answers /health as a model server does; MODE says how it misbehaves.
    import http.server, json, os, signal, subprocess, sys

    arguments, mode = sys.argv[1:], os.environ.get("MODE", "")
    port = int(arguments[arguments.index("--port") + 1])
    if mode == "dies":
        sys.exit("out of memory on purpose")
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.pause()"
    worker = subprocess.Popen([sys.executable, "-c", stubborn])
    if mode == "stubborn":
        signal.signal(signal.SIGTERM, lambda *_: print("not now", flush=True))

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            fit = self.path == "/health" and mode != "never ready"
            self.send_response(200 if fit else 503)
            self.end_headers()
            if mode == "leaves":
                os._exit(7)

    said = {{"arguments": arguments, "pids": [os.getpid(), worker.pid]}}
    print(json.dumps(said), flush=True)
    http.server.HTTPServer(("127.0.0.1", port), Handler).serve_forever()
    """
)


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def engine(tmp_path, monkeypatch, port):
    """How to serve with a stand-in for SGLang, from a folder of its own."""
    script = tmp_path / "venv/bin/sglang"
    script.parent.mkdir(parents=True)
    script.write_text(STAND_IN.format(python=sys.executable))
    script.chmod(0o755)
    monkeypatch.setenv("LMMSCOPE_RUNS", str(tmp_path / "runs"))
    command = ["serve", "explainer", "--engine", "sglang", "--venv", str(tmp_path / "venv")]
    return [*command, "--model", TARGET, "--port", str(port)]


@contextmanager
def started(command, **environment):
    """The command in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "lmmscope", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | environment,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=60)


@contextmanager
def serving(command, **environment):
    """The same, once it says that it serves."""
    with started(command, **environment) as process:
        assert process.stdout.readline().startswith("serving")
        yield process


def said_by(folder: Path) -> dict:
    (log,) = folder.glob("runs/servers/*.log")
    return json.loads(log.read_text().splitlines()[0])


def until(condition) -> bool:
    """Whether something becomes true before long."""
    deadline = time.monotonic() + 20
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def gone(pid: int) -> bool:
    """No process of this number, or one that only waits for its parent to notice."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return state.stdout.strip()[:1] in ("", "Z")


def refused(result, *names: str) -> None:
    assert result.exit_code == 2, result.output
    line = result.stderr.strip().splitlines()[-1]
    assert all(name in line for name in names), line


def test_sglang_is_called_with_the_model_the_address_and_its_own_options(engine, tmp_path, port):
    with serving([*engine, "--", "--tp-size", "8"]):
        said = said_by(tmp_path)["arguments"]
    expected = f"serve --model-path {TARGET} --host 127.0.0.1 --port {port} --tp-size 8"
    assert said == expected.split()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_stops_the_server_with_its_workers(engine, tmp_path, number, code):
    with serving(engine) as process:
        process.send_signal(number)
        assert process.wait(timeout=60) == code
    assert all(until(lambda pid=pid: gone(pid)) for pid in said_by(tmp_path)["pids"])


def test_a_signal_stops_a_server_that_only_starts(engine, tmp_path):
    with started(engine, MODE="never ready") as process:
        logs = tmp_path / "runs/servers"
        assert until(lambda: any("pids" in log.read_text() for log in logs.glob("*.log")))
        process.terminate()
        assert process.wait(timeout=60) == 143
    assert all(until(lambda pid=pid: gone(pid)) for pid in said_by(tmp_path)["pids"])


def test_a_second_signal_kills_a_server_that_will_not_end(engine, tmp_path):
    with serving(engine, MODE="stubborn") as process:
        (log,) = tmp_path.glob("runs/servers/*.log")
        process.terminate()
        assert until(lambda: "not now" in log.read_text())
        began = time.monotonic()
        process.terminate()
        process.wait(timeout=60)
        assert time.monotonic() - began < 10  # less than the grace that it has otherwise
    assert all(until(lambda pid=pid: gone(pid)) for pid in said_by(tmp_path)["pids"])


@pytest.mark.parametrize(
    ("mode", "within", "named", "shown"),
    [
        ("dies", "60", "code 1 before it was ready", "out of memory on purpose"),
        ("leaves", "60", "ended by itself with code 7", "pids"),
        ("never ready", "1", "not ready within 1 s", "pids"),
    ],
)
def test_a_server_that_fails_is_shown_by_the_end_of_its_log(
    engine, monkeypatch, mode, within, named, shown
):
    monkeypatch.setenv("MODE", mode)
    result = CliRunner().invoke(app, [*engine, "--within", within])
    refused(result, named, ".log")
    assert shown in result.stderr


def test_a_server_that_never_gets_ready_does_not_stay(engine, tmp_path, monkeypatch):
    monkeypatch.setenv("MODE", "never ready")
    assert CliRunner().invoke(app, [*engine, "--within", "1"]).exit_code == 2
    assert all(until(lambda pid=pid: gone(pid)) for pid in said_by(tmp_path)["pids"])


def test_a_port_that_is_taken_is_named_before_anything_starts(engine, tmp_path, port):
    with socket.create_server(("127.0.0.1", port)):
        refused(CliRunner().invoke(app, engine), str(port), f"--port {port + 1}")
    assert not (tmp_path / "runs").exists()


def test_an_engine_that_is_not_installed_is_named_with_what_installs_it(tmp_path):
    command = ["serve", "judge", "--engine", "vllm", "--model", TARGET, "--venv", str(tmp_path)]
    refused(CliRunner().invoke(app, command), f"{tmp_path}/bin/vllm", "requirements-vllm.txt")


def test_a_model_that_is_not_there_is_named(engine):
    refused(CliRunner().invoke(app, [*engine, "--model", "/nowhere"]), "/nowhere")


def test_what_installs_an_engine_is_there():
    with pytest.raises(UserError) as failure:
        check_installed("sglang", Path("/nowhere"))
    assert Path(str(failure.value).split(" -r ")[1]).is_file()


def printed(*command):
    result = CliRunner().invoke(app, ["serve", "--print", *command])
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


PUBLISHED = "--model-path lmms-lab/llava-onevision-qwen2-72b-ov-sft --host 127.0.0.1 --port 30000"


@pytest.mark.parametrize("role", ["explainer", "judge"])
def test_the_papers_server_is_started_as_its_profile_says(role, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    started_by = printed(role, "--profile", "llava-next-8b")
    engine = f"{tmp_path}/lmmscope/sglang/bin/sglang"
    options = "--tp-size 8 --chat-template chatml-llava"
    assert started_by == f"{engine} serve {PUBLISHED} {options}"
    more = printed(role, "--profile", "llava-next-8b", "--port", "7", "--", "--tp-size", "4")
    assert more == f"{engine} serve {PUBLISHED} --tp-size 4".replace("30000", "7")


def test_another_engine_gets_none_of_the_profiles_options(tmp_path):
    command = printed(
        "explainer", "--profile", "llava-next-8b", "--engine", "vllm", "--venv", str(tmp_path)
    )
    assert command.startswith(f"{tmp_path}/bin/vllm serve lmms-lab/")
    assert command.endswith("--port 30000")


def test_without_a_server_in_the_profile_ours_serves_its_model():
    command = printed("explainer")
    folder = weights_folder("explainer")
    assert command.startswith("HF_HUB_OFFLINE=1 ")
    assert command.endswith(f"bin/transformers serve {folder} --host 127.0.0.1 --port 30000")


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:5"),
        ("0.0.0.0", "http://127.0.0.1:5"),
        ("::", "http://[::1]:5"),
        ("fd00::2", "http://[fd00::2]:5"),
    ],
)
def test_a_server_is_reached_where_it_listens(host, url):
    assert url_of(host, 5) == url


def test_the_toybox_says_the_same_through_a_real_server(tmp_path, port):
    picture = draw_scene(fresh_scene(5)).image()
    questions = ["what place is this?", "what do you see?", "how many things are there?"]
    here = load_target().replies([Prompt((picture,), question) for question in questions])
    command = ["serve", "explainer", "--model", "toybox:target", "--port", str(port)]
    room = {"HF_HOME": str(tmp_path / "hub"), "LMMSCOPE_RUNS": str(tmp_path / "runs")}

    async def there(config: ServerConfig) -> list[str]:
        async with ServerChat(config) as chat:
            asked = [
                ChatRequest(role="explainer", messages=(Message("user", (picture, q)),))
                for q in questions
            ]
            return [reply.text.strip() for reply in await asyncio.gather(*map(chat.reply, asked))]

    with serving([*command, "--", "--device", "cpu", "--dtype", "float32"], **room) as process:
        hint = [process.stdout.readline() for _ in range(2)][1]
        config = ServerConfig(**tomllib.loads(hint)["explainer"])
        assert (config.base_url, config.model) == (f"http://127.0.0.1:{port}", TARGET)
        assert asyncio.run(there(config)) == here
        assert server_check("explainer", config.base_url).state == "ok"


def labels_of(features, **environment) -> list[str]:
    """One-shot labels of planted features, as a program asks the tools for them."""
    command = [sys.executable, "-m", "lmmscope", "tool", "--lines", "--planted-seed", "3"]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"LMMSCOPE_DATA__EXPLORE_PICTURES": "200"} | environment,
    )

    def call(tool, **arguments):
        print(json.dumps({"tool": tool, "arguments": arguments}), file=process.stdin, flush=True)
        return json.loads(process.stdout.readline())["result"]

    said = []
    for feature in features:
        evidence = call("top_images", feature=feature)["evidence"]
        for one in call("explain", evidence=evidence)["hypotheses"]:
            said.append(str(call("refine", explanation=one["text"])["outcome"]))
    process.communicate()
    return said


def test_features_get_the_same_labels_through_a_real_server(tmp_path, port):
    features = [number for number, one in enumerate(plant(3)) if one.rule == "single"][:4]
    here = labels_of(features, LMMSCOPE_RUNS=str(tmp_path / "here"))
    command = ["serve", "explainer", "--port", str(port)]
    room = {"HF_HOME": str(tmp_path / "hub"), "LMMSCOPE_RUNS": str(tmp_path / "there")}
    with serving([*command, "--", "--device", "cpu", "--dtype", "float32"], **room) as process:
        hint = [process.stdout.readline() for _ in range(2)][1]
        server = tomllib.loads(hint)["explainer"]
        given = {f"LMMSCOPE_SERVERS__EXPLAINER__{name.upper()}": server[name] for name in server}
        there = labels_of(features, LMMSCOPE_RUNS=room["LMMSCOPE_RUNS"], **given)
    assert len(here) >= 3
    assert there == here
