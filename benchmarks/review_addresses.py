"""Every address of the review application that is a page, with what a large store has in it.

Knows routes and what stands in addresses; asks for none of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute

from agent.store import Reader
from review.pages import ROUTERS

WORDS = ("umbrella", "red wooden", "a", "feature", "beside a gre", '"sad face"', "xyzzy")
"""Some that hardly anything has, and some that almost everything has."""
LIVE = ("/runs/{name}/tail",)
"""What goes on while a run does: it is asked for what is new."""
NEVER = '["9999",0]'
FILES = ("/exports/", "/shown/")
"""What is downloaded is no page: all of it is read, for as long as that takes. Pictures of splits
are drawn by whoever has them."""
AT_WORK = ("/steer/{", "/steer/splits/", "/steer/model", "/attribution/{", "/jobs/")
"""What whoever has a model works on, or has kept: a large store has none of it."""
DEEPER = ("/runs", "/runs/{name}/units")
IN_QUERIES = ("unit", "step", "place", "feature", "coder", "left", "right")
_PLACE = re.compile(r"\{(\w+)(?::\w+)?\}")


def addresses(store: Reader) -> Iterator[str]:
    """Every page that there is: of a large run and a small one, with words, and further down."""
    examples = _examples(store)
    for route in (route for router in ROUTERS for route in router.routes):
        if not isinstance(route, APIRoute) or "GET" not in (route.methods or ()):
            continue
        if route.path.startswith((*FILES, *AT_WORK)):
            continue
        path = route.path
        given = {one.alias for one in get_flat_params(route.dependant)} - {*_PLACE.findall(path)}
        start = path.split("{")[0]
        if "{" in path and start not in examples:
            raise SystemExit(f"benchmarks/review_addresses.py has no example of {path}: add one")
        for values in examples[start] if "{" in path else examples.get(path, [{}]):
            filled = _PLACE.sub(lambda place, of=values: str(of.get(place[1], of["name"])), path)
            asked = {one: values[one] for one in IN_QUERIES if one in given & values.keys()}
            if path in LIVE:
                asked = {"after": NEVER}
            yield _with(filled, asked)
            for words in WORDS if "q" in given else ():
                yield _with(filled, {**asked, "q": words})
            deeper = values.get("deeper") or _old_run(store)
            if path in DEEPER and deeper:
                yield _with(filled, {"after": deeper})


def _examples(store: Reader) -> dict[str, list[dict[str, Any]]]:
    """What stands in addresses, by their beginnings."""
    features = [
        row
        for number in (1, store.rows("SELECT max(number) / 2 AS n FROM overview")[0]["n"])
        for row in store.rows(
            "SELECT finding, feature, coder, label FROM overview "
            "WHERE number >= ? AND feature >= 0 ORDER BY number LIMIT 1",
            (number,),
        )
    ]
    if not features:
        raise SystemExit("There is no finding about a feature in this store: label one first")
    largest = store.rows("SELECT run FROM units GROUP BY run ORDER BY count(*) DESC LIMIT 2")
    names = [
        row["artefact"] for row in store.rows("SELECT DISTINCT artefact FROM evidence LIMIT 50")
    ]
    pictures = [one for one in names if store.artefacts.is_picture(one)]
    documents = [one for one in names if one not in pictures]
    return {
        "/runs/": [*_runs(store)],
        "/findings/": [{"name": row["finding"]} for row in features],
        "/verdicts/": [{"name": row["finding"]} for row in features if row["label"]],
        "/compare": [{"left": features[0]["finding"], "right": features[1]["finding"]}],
        "/compare/runs": [{"left": largest[0]["run"], "right": largest[-1]["run"]}],
        "/features/": [{**row, "name": row["feature"]} for row in features],
        "/pictures/": [{"name": one} for one in pictures[:2]],
        "/evidence/": [{"name": one} for one in documents[:2]],
    }


def _runs(store: Reader) -> Iterator[dict[str, Any]]:
    """An event, a call and a place far down in the largest run, and in a small one."""
    for order in ("DESC", "ASC"):
        run = store.rows(
            "SELECT run, count(*) AS n FROM units GROUP BY run "
            f"ORDER BY sum(events) {order} LIMIT 1"
        )[0]
        name = run["run"]
        event = store.rows(
            "SELECT unit, step, place FROM events WHERE run = ? AND unit != 'run' LIMIT 1", (name,)
        )
        call = store.rows("SELECT id FROM calls WHERE run = ? LIMIT 1", (name,))
        deeper = store.rows(
            "SELECT began, unit FROM units WHERE run = ? ORDER BY began LIMIT 1 OFFSET ?",
            (name, run["n"] // 2),
        )[0]
        number = {"number": call[0]["id"]} if call else {}
        yield {"name": name, **event[0], **number, "deeper": json.dumps([*deeper.values()])}


def _old_run(store: Reader) -> str | None:
    """Where the list of runs goes on further down; None if it is too short for that."""
    rows = store.rows("SELECT began, id FROM runs ORDER BY began LIMIT 1 OFFSET 60")
    return json.dumps([*rows[0].values()]) if rows else None


def _with(path: str, values: dict[str, Any]) -> str:
    return f"{path}?{urlencode(values)}" if values else path
