"""Dialogues with a model as people copy them, such as `me: is it raining? model: yes`.

They are put into quotation marks, so that they are read like `asked "is it raining?", the model
says "yes"`. Knows how speakers are marked; nothing of what is asked.
"""

from __future__ import annotations

import re

from agent.planner.english import either, rule

_ASKER = either("me user i we human you q question prompt asked asking query us")
_MODEL = either(
    """(?:the_)?model a answer(?:ed)? it ai assistant bot lmm vlm llava network machine output reply
    response"""
)
_SIGN = r"\s*(?:[:=]|[-=]*>|→)\s*"
_MARKS = "\"'“”‘’`"  # noqa: RUF001
_DIALOGUE = rule(
    rf"""(?<!\w){_ASKER}{_SIGN}[{_MARKS}]?(?P<question>[^?{_MARKS}]+(?:\?|(?=[,;/|.]\s*{_MODEL}{_SIGN})))[{_MARKS}]?[\s,;/|.-]*
    (?:{_MODEL}{_SIGN}|[-=]*>\s*|→\s*)[{_MARKS}]?(?P<answer>[\w-]+(?:\s[\w-]+){{0,3}})[{_MARKS}]?"""
)


def in_quotes(line: str) -> str:
    """The line with what was asked and answered in quotation marks."""
    return _DIALOGUE.sub(_quoted, line)


def _quoted(match: re.Match[str]) -> str:
    question = f"{match['question'].rstrip('? ')}?"
    return f'asked "{question}" the model says "{match["answer"]}"'
