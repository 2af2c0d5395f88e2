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


UNIT = either("features? units? neurons? latents? directions? channels?")
"""What people call a feature."""
SEVERAL = either("features units neurons latents directions channels")
PICTURE = either("pictures? images? photos? photographs? shots? scenes?")
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
COMMAND = either(
    """analyse analyze annotate ask attribute auto-label batch caption check compare contrast
    correct create describe determine display distinguish do eliminate enumerate examine explain
    fetch figure find
    finish(?=_with) fit fix get give go identify inspect interpret investigate justify kick label
    launch learn list load locate look make mend name open prevent print probe process query reduce
    remind remove repair report retrain run say(?=_(?:why|what|how|whether|if)) search see show
    start steer stop study summari[sz]e suppress switch tag tell test trace train try understand use
    verify walk work wrap_up"""
)
"""How a request begins that says what to do."""
FUNCTION = either(
    """what's who's where's how's it's that's there's an? the this that these those my your our
    its his her their any some no not every each all both either neither other another such
    which what who whom whose when where why how whenever wherever whether if while because
    since so than as though although even despite without unless until and or but nor yet plus
    too just also only again then please still already really very quite rather almost always
    often sometimes never usually wrongly falsely incorrectly apparently supposedly here there
    everywhere anywhere now instead in on at by near inside within into onto of off to from with
    for about against between across around over under along beside behind during after before
    above below out up down like upon i you he she it we they me him us them one ones none
    nothing nobody anything something everything is are was were be been being am isn't aren't
    wasn't weren't do does did don't doesn't didn't has have had having can can't could cannot
    will would shall should may might must won't wouldn't shouldn't let lets"""
)
"""Words that hold a sentence together, and are never the noun that is looked for."""
