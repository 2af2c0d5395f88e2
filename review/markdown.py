"""Answers as HTML: Markdown of which nothing but form is taken, with what they cite as links.

A model may write what it likes: HTML stays text, and so do links and pictures of its own. The only
links are ours, from ids of findings and evidence to their pages.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.token import Token
from markupsafe import Markup

_CITED = re.compile(
    r"\bfinding (?P<finding>[0-9a-f]{16})\b|\[(?P<artefact>[0-9a-f]{12}(?:[0-9a-f]{52})?)\]"
)


def answer_html(text: str) -> Markup:
    """An answer as it is shown."""
    return Markup(_reader().render(text))  # every text goes through `linked`, which escapes


def linked(text: str) -> Markup:
    """Plain text, escaped, with what it cites as links."""
    parts, end = [], 0
    for match in _CITED.finditer(text):
        parts.append(escapeHtml(text[end : match.start()]))
        parts.append(_link(match))
        end = match.end()
    return Markup("".join([*parts, escapeHtml(text[end:])]))


def _link(match: re.Match[str]) -> str:
    if finding := match["finding"]:
        return f'<a class="cite" href="/findings/{finding}">finding {finding}</a>'
    name = match["artefact"]
    return f'<a class="cite" href="/evidence/{name}">{name[:12]}</a>'


@cache
def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    reader.disable(["link", "image", "autolink", "reference", "html_inline", "html_block"])

    def text(_self: Any, tokens: Sequence[Token], place: int, *_rest: Any) -> str:
        return str(linked(tokens[place].content))

    reader.add_render_rule("text", text)
    return reader
