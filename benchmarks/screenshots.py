"""Pictures of the review application for the README, from a real run of the toybox.

    python -m benchmarks.screenshots [--runs DIR] [--out docs/review]

The agent is asked about a feature of the shipped coder and labels some more, unless the folder of
runs has them already; then the application is started and its main pages are looked at.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

from agent.store import Reader
from benchmarks.one_line import in_one_line

LMMSCOPE = [sys.executable, "-m", "lmmscope"]
ASKED = "what does feature 809 respond to?"
MORE = "249,1954,407,953,47"
STEERED = "/steer?split=explore&number=12&prompt=how+do+you+feel+?&feature=809&times=1"
WIDTH, HEIGHT = 1280, 860
MOST, SETTLED = 120_000, 20_000
"""Milliseconds until a model has begun to answer, and until all controls have."""
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
NAMED = ("chromium", "chromium-browser", "google-chrome")


class Shot(NamedTuple):
    """A page to look at."""

    name: str
    path: str
    scheme: Literal["light", "dark"] = "light"
    press: str | None = None
    """What is pressed first, and waited for."""


def prepared(folder: Path) -> None:
    """A run that asked about one feature, and one that labelled some."""
    for words in (["ask", ASKED], ["batch", "--features", MORE, "--no-steer"]):
        subprocess.run([*LMMSCOPE, *words, "--runs", str(folder)], check=True)


def shots(folder: Path) -> list[Shot]:
    """The main pages, with what there is in the folder."""
    with Reader(folder) as store:
        asked = next(one for one in store.runs_begun() if one.question == ASKED)
        finding = store.findings(asked.id)[0]
    return [
        Shot("runs", "/runs"),
        Shot("transcript", f"/runs/{asked.id}"),
        Shot("feature", f"/findings/{finding.id}"),
        Shot("findings", "/findings", scheme="dark"),
        Shot("steer", STEERED, press="Try"),
        Shot("verdicts", "/verdicts", scheme="dark"),
    ]


@contextmanager
def serving(folder: Path) -> Generator[str]:
    """The application's address, with its token."""
    command = [*LMMSCOPE, "review", "--no-browser", "--runs", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            found = re.search(r"http://\S+", server.stdout.readline())
            if found is None:
                raise SystemExit("lmmscope review did not say where it listens")
            yield found[0]
        finally:
            server.terminate()


@in_one_line()
def main() -> None:
    """Take them all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=Path, default=Path("runs/screenshots"))
    parser.add_argument("--out", type=Path, default=Path("docs/review"))
    given = parser.parse_args()
    from playwright.sync_api import sync_playwright

    if not (given.runs / "findings.db").exists():
        prepared(given.runs)
    given.out.mkdir(parents=True, exist_ok=True)
    path = next(filter(None, map(shutil.which, NAMED)), None)
    with serving(given.runs) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        here, token = address.split("/runs")[0], address.split("?")[1]
        for shot in shots(given.runs):
            context = browser.new_context(
                viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=shot.scheme
            )
            page = context.new_page()
            joint = "&" if "?" in shot.path else "?"
            page.goto(f"{here}{shot.path}{joint}{token}", wait_until="load")
            if shot.press is not None:
                page.get_by_role("button", name=shot.press, exact=True).click()
                replies = page.locator("#replies:not([data-job]) [data-said]")
                replies.first.wait_for(timeout=MOST)
                page.wait_for_timeout(SETTLED)
            page.wait_for_timeout(1500)  # masks are drawn when pictures are there
            page.screenshot(path=given.out / f"{shot.name}.png")
            print(f"wrote {given.out / shot.name}.png")
            context.close()


if __name__ == "__main__":
    main()
