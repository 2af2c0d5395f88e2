"""A run as one HTML file that needs nothing else: no network, no scripts, pictures inside.

Large runs are cut where the file would get too large, and the file says so. Each picture is in it
once, however often it is shown. Knows records and the template; nothing of how a run came about.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from agent.events import Event
from agent.findings import FeatureFinding, Finding
from agent.store import Reader, RunRecord, Verdict
from agent.store.rows import ids_in
from review import words
from review.exports.pictures import Pictures
from review.exports.source import Part, each_part, steps_of, units_of
from review.markdown import answer_html

TRANSCRIPT = 32_000_000
"""Characters of the transcript; units that begin after them are left out. Findings that begin after
as many have a line each."""
SHOWN = 2000
"""Different pictures in a file."""
LONG = 4000
"""Characters of a result; the rest is in the JSON export."""
_LINK = re.compile(r'<a class="cite" href="/(findings|evidence)/([0-9a-f]+)">(.*?)</a>')
_LEAF = re.compile(r"[\[{]\n[^\[\]{}]{1,120}?\n *[\]}]")
"""A list or an object of JSON that has no other in it and fits on a line."""
_BREAK = re.compile(r"\n *")
_SEEN = "SELECT artefact FROM artefacts WHERE run = ? AND unit = ? ORDER BY step, place LIMIT 300"
_UNITS = """
SELECT unit, json_extract(result, '$.finding') AS finding FROM events
WHERE run = ? AND kind = 'finding'
"""
_FOLDER = Path(__file__).parent / "templates"


def page_pieces(
    store: Reader, run: RunRecord, *, transcript: int = TRANSCRIPT, shown: int = SHOWN
) -> Iterator[str]:
    """The file, piece by piece."""
    findings = store.findings(run.id)
    page = _Page(store, run, findings, transcript, shown)
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "cost": words.cost, "lasted": words.lasted, "short": words.short,
        "steps": steps_of, "json": _json, "plain": _plain,
    }  # fmt: skip
    drawn = environment.get_template("run.html").generate(
        page=page,
        run=run,
        findings=findings,
        style=Markup((_FOLDER / "run.css").read_text(encoding="utf-8")),
    )
    for piece in drawn:
        page.written += len(piece)
        yield piece


class _Page:
    """What the template asks for while it is drawn."""

    def __init__(
        self,
        store: Reader,
        run: RunRecord,
        findings: tuple[Finding, ...],
        transcript: int,
        shown: int,
    ) -> None:
        self._store, self._run, self._pictures = store, run, Pictures(store)
        self._transcript, self._shown = transcript, shown
        self._used: dict[str, None] = {}
        self._named: set[str] = set()
        self.written, self.left_out = 0, 0
        told = store.rows(_UNITS, (run.id,))
        self._units = {row["finding"]: row["unit"] for row in told}
        self._anchors = {f"finding-{one.id}" for one in findings}
        self._anchors |= {f"artefact-{name[:12]}" for one in findings for name in rests_on(one)}

    def roomy(self) -> bool:
        """Whether there is room for another finding at length."""
        return self.written < self._transcript

    def verdicts(self, finding: Finding) -> tuple[Verdict, ...]:
        """What people think of a finding."""
        return self._store.verdicts(finding.id)

    def parts(self) -> Iterator[Part]:
        """The units of the run, as long as there is room."""
        begun = self.written
        self.left_out = len(units_of(self._store, self._run.id))
        for part in each_part(self._store, self._run.id):
            if self.written - begun > self._transcript:
                return
            self.left_out -= 1
            yield part

    def answer(self, text: str) -> Markup:
        """An answer with links to what is in this file; what is not here is no link."""

        def link(match: re.Match[str]) -> str:
            kind = "finding" if match[1] == "findings" else "artefact"
            anchor = f"{kind}-{match[2] if kind == 'finding' else match[2][:12]}"
            return f'<a href="#{anchor}">{match[3]}</a>' if anchor in self._anchors else match[3]

        return Markup(_LINK.sub(link, answer_html(text)))  # escaped by `answer_html`

    def rests_on(self, finding: Finding) -> tuple[str, ...]:
        """The artefacts that a finding names."""
        return rests_on(finding)

    def seen(self, finding: Finding) -> list[str]:
        """The pictures that were looked at first for a finding."""
        if (unit := self._units.get(finding.id)) is None:
            return []
        rows = self._store.rows(_SEEN, (self._run.id, unit))
        named = dict.fromkeys(row["artefact"] for row in rows)
        return [name for name in named if self._pictures.has(name)]

    def first(self, name: str) -> bool:
        """Whether an artefact is named for the first time: that is where links lead to."""
        before = len(self._named)
        self._named.add(name[:12])
        return len(self._named) > before

    def document(self, name: str) -> str | None:
        """A short document as it is kept."""
        if self._pictures.has(name) or name not in self._store.artefacts:
            return None
        text = self._store.artefacts.get(name).decode(errors="replace")
        return text if len(text) <= 4 * LONG else None

    def pictures_in(self, event: Event) -> list[str]:
        """The pictures that an event names, in the order of their names."""
        return sorted(one for one in ids_in(event.model_dump_json()) if self._pictures.has(one))

    def use(self, name: str) -> bool:
        """Whether a picture is in the file; it is from now on, if there is room."""
        if name in self._used:
            return True
        if len(self._used) >= self._shown or not self._pictures.has(name):
            return False
        self._used[name] = None
        return True

    def thumbnails(self) -> Iterator[tuple[str, str]]:
        """The pictures that were used, with their contents."""
        for name in self._used:
            if (content := self._pictures.thumbnail(name)) is not None:
                yield name, content


def rests_on(finding: Finding) -> tuple[str, ...]:
    """The artefacts that a finding names, the most important first."""
    if not isinstance(finding, FeatureFinding):
        return (finding.recipe,) if finding.recipe else ()
    named = [finding.evidence]
    if finding.verification:
        named += [finding.verification.evidence, finding.verification.sheet]
    named += [name for one in finding.hypotheses for test in one.tests for name in test.evidence]
    named += finding.steering.experiments if finding.steering else ()
    return tuple(dict.fromkeys(named))


def _json(value: Any) -> str:
    """For people: cut where it gets long."""
    text = json.dumps(value, indent=1, ensure_ascii=False)
    text = _LEAF.sub(lambda match: _BREAK.sub(" ", match[0]), text)
    if len(text) <= LONG:
        return text
    return f"{text[:LONG]}\n... {len(text) - LONG:,} more characters: lmmscope runs export has them"


def _plain(name: str) -> str:
    """A name that programs gave, as words."""
    return name.replace("_", " ")
