"""What a small store knows about a feature, said about another one.

Knows the rows of one feature; nothing of how many there are to be, or of who writes them.
"""

from __future__ import annotations

import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple, get_args

from agent.findings import FeatureFinding
from agent.store import Reader
from agent.store.records import stamp
from agent.store.rows import finding_row, hypothesis_rows, score_rows, words_row
from tools.replies import Category

CATEGORIES = get_args(Category)
Row = dict[str, Any]
LABEL, FEATURE = "\ue000", "\ue001"
"""What stands in a template for the label and the feature."""
_ADJECTIVES = """
red green blue yellow white black brown grey pink orange wooden metal glass paper stone woollen
striped dotted checked shiny wet broken old small large round square open closed empty
"""
_NOUNS = """
umbrella car dog cat house tree boat cup chair table lamp book clock bottle bicycle bird horse kite
bridge tower fence window door roof wheel hand face eye mouth ear leaf flower apple banana bread
cake plate fork knife spoon bed pillow curtain mirror shoe hat scarf glove coat bag suitcase tent
beach street field forest river mountain harbour kitchen garden sky cloud snow rain fire smoke sign
letter number poster map flag train bus lorry tram plane rocket bench ladder rope chain bell drum
"""
ADJECTIVES, NOUNS = _ADJECTIVES.split(), _NOUNS.split()
JOINTS = (" or ", " beside a ", " on a ", " without ")


class Template(NamedTuple):
    """What a small store has about one feature."""

    events: tuple[Row, ...]
    named: dict[tuple[int, int], list[str]]
    """The artefacts that an event speaks of, by its step and place."""
    calls: tuple[Row, ...]
    document: str
    evidence: tuple[str, ...]
    label: str | None


class Job(NamedTuple):
    """A feature to be looked into by a run."""

    run: str
    unit: str
    feature: int
    began: datetime


class Filled:
    """A template about one feature."""

    def __init__(self, template: Template, job: Job, label: str) -> None:
        self._template, self._job, self._label = template, job, label

    def events(self, count: int) -> Iterator[tuple[str, list[Row]]]:
        """So many events: the template's from the beginning, again and again, and its last."""
        job, ours = self._job, self._template.events
        steps = ours[-1]["step"] + 1
        events, artefacts = [], []
        for n in range(count):
            turn, place = divmod(n, len(ours)) if n < count - 1 else (n // len(ours), -1)
            row = ours[place]
            name = {
                "run": job.run,
                "unit": job.unit,
                "step": row["step"] + turn * steps,
                "place": row["place"],
            }
            filled = {one: self._fill(row[one]) for one in ("text", "arguments", "result")}
            at = stamp(job.began + timedelta(seconds=0.7 * n))
            events.append({**row, **name, **filled, "at": at})
            named = self._template.named.get((row["step"], row["place"]), ())
            artefacts += [{**name, "artefact": one} for one in named]
        yield "events", events
        yield "artefacts", artefacts

    def calls(self, count: int, first: int) -> Iterator[tuple[str, list[Row]]]:
        """So many calls of models, with the pictures shown, numbered from the first."""
        job = self._job
        calls, shown = [], []
        for n, row in enumerate(islice(self._template.calls, count)):
            new = {**row, "id": first + n + 1, "run": job.run, "unit": job.unit}
            calls.append({**new, "messages": self._fill(row["messages"]), "at": stamp(job.began)})
            pictures = {one for part in _parts(row["messages"]) if (one := part["picture"])}
            shown += [{"call": first + n + 1, "artefact": one} for one in sorted(pictures)]
        yield "calls", calls
        yield "shown", shown

    def finding(self, rng: random.Random) -> Iterator[tuple[str, list[Row]]]:
        """The finding with all of its rows."""
        job = self._job
        document = json.loads(self._fill(self._template.document) or "")
        document |= {"key": f"{rng.getrandbits(256):064x}", "run": job.run, "at": stamp(job.began)}
        if document["category"]:
            document["category"] = rng.choice(CATEGORIES)
        _rescored(document["verification"] or {}, rng.uniform(0.2, 1.1), rng)
        finding = FeatureFinding.model_validate(document)
        yield "findings", [finding_row(finding)]
        yield "words", [words_row(finding)]
        yield "hypotheses", [*hypothesis_rows(finding)]
        yield "scores", [*score_rows(finding)]
        named = ({"finding": finding.id, "artefact": one} for one in self._template.evidence)
        yield "evidence", [*named]

    def _fill(self, text: str | None) -> str | None:
        if text is None:
            return None
        return text.replace(FEATURE, str(self._job.feature)).replace(LABEL, self._label)


def templates(reader: Reader) -> Iterator[Template]:
    """All features of a store that there is a finding about."""
    for row in reader.rows("SELECT * FROM findings WHERE kind = 'feature' ORDER BY rowid"):
        units = reader.rows(
            "SELECT unit FROM units WHERE run = ? AND unit LIKE ?",
            (row["run"], f"%/{row['feature']}"),
        )
        if not units:
            continue
        key = (row["run"], units[0]["unit"])
        of_unit = "WHERE run = ? AND unit = ? ORDER BY step"
        named: dict[tuple[int, int], list[str]] = defaultdict(list)
        for one in reader.rows(f"SELECT * FROM artefacts {of_unit}", key):
            named[one["step"], one["place"]].append(one["artefact"])
        evidence = reader.rows("SELECT artefact FROM evidence WHERE finding = ?", (row["id"],))
        yield Template(
            events=tuple(
                _opened(one, row) for one in reader.rows(f"SELECT * FROM events {of_unit}", key)
            ),
            named=named,
            calls=tuple(
                _opened(one, row) for one in reader.rows(f"SELECT * FROM calls {of_unit}", key)
            ),
            document=_opened(row, row)["document"],
            evidence=tuple(one["artefact"] for one in evidence),
            label=row["label"],
        )


def _opened(row: Row, finding: Row) -> Row:
    """A row with places for the label and the feature in its texts."""
    found = dict(row)
    for name in {"text", "arguments", "result", "messages", "document"} & row.keys():
        if (text := row[name]) is not None:
            for before in ("feature ", '"feature":', '"feature": '):
                text = text.replace(f"{before}{finding['feature']}", f"{before}{FEATURE}")
            # As a word: there is "wings" in "swings".
            label = finding["label"] and rf"(?<!\w){re.escape(finding['label'])}(?!\w)"
            found[name] = re.sub(label, LABEL, text) if label else text
    return found


def _rescored(verification: Row, skill: float, rng: random.Random) -> None:
    """Other scores, not below their null and not above 1, nor above 100 for CLIP-scores."""
    for kind in ("scores", "one_shot_scores"):
        for name, score in verification.get(kind, {}).items():
            least = max(null["value"] for null in score["nulls"])
            most = 100.0 if name.startswith("clip") else 1.0
            moved = (score["value"] - least) * max(0.0, skill + rng.uniform(-0.3, 0.3))
            by = min(most, least + moved) - score["value"]
            score |= {end: score[end] + by for end in ("value", "low", "high")}


def label_of(rng: random.Random) -> str:
    """A label that hardly any other feature has."""
    one = f"{rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}"
    if rng.random() < 0.4:
        return one
    return f"{one}{rng.choice(JOINTS)}{rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}"


def _parts(messages: str) -> Iterator[Row]:
    for said in json.loads(messages):
        yield from said["parts"]
