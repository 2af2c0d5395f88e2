"""Words that several rules share, and the notation in which rules are written.

Knows vocabulary; nothing of what rules look for.
"""

from __future__ import annotations

import re


def words(text: str) -> frozenset[str]:
    """A set of words, written with spaces between them."""
    return frozenset(text.split())


def either(text: str) -> str:
    """A pattern for one of several words, written with spaces; `_` is a space within one."""
    return f"(?:{'|'.join(text.split())})".replace("_", r"\s+")


def rule(pattern: str) -> re.Pattern[str]:
    """A pattern over lines, without regard to case."""
    return re.compile(pattern, re.I | re.X)


UNIT = either("features? feats?\\.? ftrs?\\.? units? neurons? latents? lats directions? channels?")
"""What people call a feature."""
SEVERAL = either("features feats units neurons latents lats directions channels")
PICTURE = either("pictures? images? imgs?\\.? photos? photographs? pics?\\.? shots? scenes?")
CODER = either("saes? auto-?encoders? dictionar(?:y|ies) checkpoints? coders?")
RECORD = either(
    """findings? results? labels? verdicts? explanations? claims? hypothes[ei]s conclusions?
    notes? records? entries"""
)
"""What people call a finding."""
COLOUR = either("red orange yellow green blue purple pink black white brown gr[ae]y")
YES_NO = either("yes no maybe nothing none unsure")
SAY = either(
    """say says said saying answer(?:s|ed|ing)? repl(?:y|ies|ied|ying) respond(?:s|ed)?
    claim(?:s|ed|ing)? think(?:s|ing)? thought believe[sd]? insist(?:s|ed)? report(?:s|ed)?
    outputs? tells?_(?:me|us) concludes? state[sd]? declares? asserts? maintains? decides?
    assumes? predicts? guess(?:es)?"""
)
"""How a model gives an answer."""
SEE = either(
    """see sees saw seeing finds? detects? notices? hallucinates? imagines? invents? spots?
    reports? mentions?"""
)
"""How it gets to something that is there, or is not."""
MISS = either(
    """miss(?:es|ed|ing)? overlook(?:s|ed)? ignore[sd]? den(?:y|ies|ied)
    fail(?:s|ed)?_to_(?:see|notice|find|detect|spot|recogni[sz]e)
    (?:not|never|cannot|can't|\\w+n't)\\s+(?:\\w+ly\\s+)?(?:see|notice|find|detect|spot|recogni[sz]e)"""
)
"""How it does not."""
