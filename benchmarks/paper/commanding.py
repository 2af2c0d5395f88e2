"""What the tables on labels share: options, a survey, and a report that is published.

Knows options and the order of things; nothing of what is measured.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable
from typing import NamedTuple

from benchmarks.one_line import in_one_line
from benchmarks.paper.bench import command, options, profile
from benchmarks.paper.modes import setups
from benchmarks.paper.report import Report, publish
from benchmarks.paper.survey import Survey, surveyed
from tools.measures import Which


class Command(NamedTuple):
    """One table's command."""

    name: str
    does: str | None
    features: int
    """If nothing else is said."""
    which: tuple[Which, ...]


def run(what: Command, report: Callable[[Survey, str, int], Report]) -> None:
    """Measure one profile, and publish what it comes to."""
    parser = parser_of(what)
    given = parser.parse_args()
    with in_one_line():
        made = setups(profile(given))
        survey = asyncio.run(surveyed(made, given.features, what.which, given.seed))
        found = report(survey, command(what.name, given, parser), given.seed)
        publish(found, given.out, as_json=given.json)


def parser_of(what: Command) -> argparse.ArgumentParser:
    """The options that all of these tables have."""
    parser = options((what.does or "").splitlines()[0], what.features)
    parser.add_argument("--json", action="store_true", help="print JSON instead of Markdown")
    return parser
