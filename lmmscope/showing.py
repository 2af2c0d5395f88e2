"""What a `Scope` gives back: plain values, which a notebook shows as tables and pictures.

Knows findings and pictures; nothing of how they come about. Whatever a model said is escaped.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from agent.findings import FeatureFinding, Finding
from agent.summary import between

if TYPE_CHECKING:
    from PIL import Image

    from tools.steer import Reply, SteerResult


class Findings(tuple[Finding, ...]):
    """Findings in their order; a table in a notebook."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        rows = [_cells(one) for one in self]
        return table(("about", "status", "label", "sealed test", "finding"), rows)


class Answer(NamedTuple):
    """What came of a run."""

    run: str
    """Its id: `lmmscope runs show ID` tells every step."""
    status: str
    """`done`, or `paused`: then `Scope.resume` goes on with it."""
    text: str
    """The answer, in Markdown; it cites findings and evidence."""
    findings: Findings
    """Those that the answer speaks of, in its order."""
    why: str = ""
    """Why it paused."""

    def _repr_html_(self) -> str:
        if self.status != "done":
            return f"<p>{escape(f'The run {self.run} is {self.status}: {self.why}')}</p>"
        return f"{markdown(self.text)}{self.findings._repr_html_() if self.findings else ''}"


class Steered(NamedTuple):
    """What the model says without and with something written into it, and with controls."""

    question: str
    picture: Image.Image
    result: SteerResult
    """Everything that was measured."""

    @property
    def unsteered(self) -> str:
        """The model's own reply."""
        return self.result.unsteered.text

    @property
    def texts(self) -> tuple[str, ...]:
        """The steered replies, one for each strength."""
        return tuple(one.text for one in self.result.steered)

    def _repr_html_(self) -> str:
        replies = (self.result.unsteered, *self.result.steered, *self.result.controls)
        rows = [(_named(self.result, one), one.text, f"{one.kl:.2f}") for one in replies]
        told = table(("what is written", "reply", "KL, nats"), rows)
        return f"{image(self.picture)}<p>{escape(self.question)}</p>{told}"


def _named(result: SteerResult, one: Reply) -> str:
    if one is result.unsteered:
        return "nothing"
    strength = "" if one.strength is None else f" {one.strength:g}"
    return f"{(one.control or 'feature').replace('_', ' ')}{strength}"


def _cells(one: Finding) -> tuple[str, ...]:
    if not isinstance(one, FeatureFinding):
        return one.behaviour, one.status, "", "", one.id
    score = one.verification.scores.get("balanced_accuracy") if one.verification else None
    told = "" if score is None else between(score)
    return str(one.feature), one.status, one.label or "", told, one.id


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Plain text as an HTML table."""
    names = "".join(f"<th>{escape(one)}</th>" for one in head)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return f"<table><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>"


def image(picture: Image.Image, width: int | None = None) -> str:
    """A picture that needs no file."""
    written = io.BytesIO()
    picture.convert("RGB").save(written, "PNG")
    data = base64.b64encode(written.getvalue()).decode()
    size = "" if width is None else f' width="{width}"'
    return f'<img alt="" src="data:image/png;base64,{data}"{size}>'


def markdown(text: str) -> str:
    """Form, and nothing else: HTML, links and pictures in it stay text."""
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    return reader.disable(["link", "image", "autolink"]).render(text)
