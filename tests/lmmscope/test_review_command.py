"""`lmmscope review`: it serves this machine, prints where, and ends when it is told to."""

import re
import signal
import socket
import subprocess
import sys
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest
import typer
from typer.testing import CliRunner

from lmmscope import review_command
from lmmscope.exits import TidyGroup


@pytest.fixture
def review():
    app = typer.Typer(cls=TidyGroup)
    app.command()(review_command.review)
    app.command("other")(lambda: None)
    return lambda *given: CliRunner().invoke(app, ["review", "--no-browser", *given])


def test_a_port_in_use_is_told_in_one_line(review, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = review("--runs", str(tmp_path), "--port", str(port))
    assert told.exit_code == 2
    assert told.stderr.strip().splitlines() == [
        f"Can't listen on 127.0.0.1, port {port}: Address already in use. Try --port 0"
    ]


def test_a_run_that_there_is_not_is_told_in_one_line(review, tmp_path):
    told = review("--runs", str(tmp_path), "--run", "0301")
    assert told.exit_code == 2
    assert told.stderr.startswith("There is no run '0301'")


def test_it_serves_an_empty_folder_until_it_is_interrupted(tmp_path):
    command = "from lmmscope.cli import main; main()"
    arguments = ["review", "--no-browser", "--runs", str(tmp_path)]
    server = subprocess.Popen(
        [sys.executable, "-c", command, *arguments], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        address = re.fullmatch(r"review +(http://127\.0\.0\.1:\d+/runs\?token=\S+)\n",
                               server.stdout.readline())  # fmt: skip
        assert address
        browser = build_opener(ProxyHandler({}))
        with browser.open(address[1], timeout=20) as reply:
            assert "There are no runs yet" in reply.read().decode()
        with pytest.raises(HTTPError, match="421") as refused:
            browser.open(Request(address[1], headers={"Host": "evil.example"}), timeout=20)
        refused.value.close()
        server.send_signal(signal.SIGINT)
        assert server.wait(timeout=20) in (0, 130)
    finally:
        server.kill()
        server.communicate()
