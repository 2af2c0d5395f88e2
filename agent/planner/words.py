"""The concept that features, or findings, are looked for: `red cars` in `what fires on red cars?`.

Knows how people ask for a concept; nothing of which concepts there are.
"""

from __future__ import annotations

import re

from agent.planner.edges import LABORATORY, SCOPE, bare_words, empty, without_edges
from agent.planner.english import COMMAND, FUNCTION, RECORD, either, rule

_VERY = either(
    """most mainly mostly strongly best only primarily especially reliably really very highly"""
)
_STRENGTH = rf"(?:{_VERY}\s+)*"
_SEEING = r"""(?:(?:the\s+)?(?:presence|sight|occurrence|appearance)\s+of\s+
    | (?:when(?:ever)?|if|whether|where)\s+
      (?:(?:it|i|we|one|you|the\s+(?:model|network))\s+
         (?:sees?|looks?\s+at|show(?:s|ed)?|(?:is|am|are)\s+shown)\s+
        | (?:there|it)(?:\s+is|\s+are|'s)\s+)?
    )?"""
_KIND = either("features? units? neurons? latents? detectors? directions? ones?")
_LINKED = either(
    """respon\\w+ react\\w* sensitive tuned attuned selective devoted dedicated relat\\w+ linked
    tied attend\\w* specific speciali[sz]ed? belong\\w* correspond\\w* (?:has|have)_to_do
    to_do associated concerned deal\\w* connect\\w* relevant pertain\\w* akin close(?:st)?"""
)
_FIRES = either(
    """fir(?:e|es|ing) activat\\w+ active light\\w*(?:_up)? lit(?:_up)? trigger\\w* switch\\w*_on
    turn\\w*_on go(?:es)?_(?:off|wild|crazy|nuts|mad)
    spik\\w+ excited wak\\w+_up high flare\\w* driven"""
)
_ENCODES = either(
    """encod(?:e|es|ing) represent(?:s|ing)? detect(?:s|ing)? captur(?:e|es|ing) track(?:s|ing)?
    concern(?:s|ing)? involv(?:e|es|ing) recogni[sz](?:e|es|ing) mean(?:s|ing)?
    signal(?:s|ling)? stand(?:s|ing)?_for look(?:s|ing)?_(?:out_)?for handl(?:e|es|ing)
    car(?:e|es|ing)(?:_about)? pick(?:s|ing)?_(?:up|out)(?:_on)? see(?:s|ing)?
    know(?:s|ing)?(?:_about)? show(?:s|ing)
    describ(?:e|es|ing) lik(?:e|es|ing) hous(?:e|es|ing) hold(?:s|ing)? cod(?:e|es|ing)_for
    spot(?:s|ting)? notic(?:e|es|ing) cover(?:s|ing)? understand(?:s|ing)? contain(?:s|ing)?
    carr(?:y|ies|ying) read(?:s|ing)? match(?:es|ing)?"""
)
_ASKING = either(
    """find search(?:_for)? look(?:ing)?_(?:up|for) locate show list get give fetch any have some
    are_there is_there which what where(?:'s|_is|_are) identify hunt(?:_for)? seek all want
    need <count>"""
)
_AFTER_COLON = rule(r"(?::\s*|\s[-–]\s+)(?!.*:)(\S.*)$")  # noqa: RUF001
_CONCEPT = (
    _AFTER_COLON,
    rule(r"\b(?:concepts?|ideas?|notion)\s+of\s+(.+)"),
    rule(rf"\b{_LINKED}\s+{_STRENGTH}(?:to|for|with|by|in|on)\s+{_SEEING}(.+)"),
    rule(
        rf"""\b(?:{_FIRES}|respond\w*|react\w*)\s+{_STRENGTH}
        (?:on|for|at|by|with|in|to|over|upon)?\s*{_SEEING}(.+)"""
    ),
    rule(
        rf"""\b(?:where|how)\s+(?:in\s+{SCOPE}\s+)?(?:is|are|do|does)\s+(.+?)\s+
        (?:encoded|represented|stored|detected|handled|captured|found|located|kept|
        lives?|sits?|hides?|resides?|shows?\s+up|dwells?)\b"""
    ),
    rule(
        rf"""(?:\b(?:that|which|who|what|whatever|to|in|for|at|can|might|could|{_KIND}|anything|something
        |do|does|did|{LABORATORY}|it|{_VERY}|<\w+>)\s+|^)(?:\w+ly\s+)?{_ENCODES}\s+
        (?!(?:me|us|if|whether|what|which|why|how)\b)(.+)"""
    ),
    rule(
        rf"""\b(?:{_KIND}|anything|something|everything|candidates|matches)\s+
        (?:(?:is|are)\s+)?(?:there\s+|in\s+(?:there|here|it)\s+)?
        (?:for|about|of|on|concerning|regarding|with|around|behind)\s+(.+)"""
    ),
    rule(
        rf"""\b{_ASKING}\s+(?:(?:me|us|out|all|the|some|any|a|an|your|our|is|are)\s+)*
        (.+?)[\s-]+{_KIND}\b"""
    ),
    rule(r"\b(?:for|about|concerning|regarding)\s+(.+)"),
    rule(r"\b(?:more|less|fewer)\s+(.+)"),
    rule(
        r"""^(?:find|search(?:\s+for)?|look\s+(?:for|up)|locate|seek|hunt(?:\s+for)?|list|show|get)\s+
        (?:me\s+)?(.+)"""
    ),
    rule(rf"^(.+?)[\s-]+{_KIND}\W*$"),
)
"""The likeliest wording first; what is looked for is what follows, less its edges."""

_MENTIONS = either(
    """about mention(?:s|ing|ed)? say(?:s|ing)? contain(?:s|ing)? regarding concerning
    involv(?:e|es|ing) related_to refer(?:s|ring)?_to talk(?:s|ing)?_about includ(?:e|es|ing)
    match(?:es|ing)? describ(?:e|es|ing) to_do_with deal(?:s|ing)?_with keyword term
    with_the_words? with_the_label labell?ed(?:_as)? called named"""
)
_KNOWING = either(
    """database memory anything something everything store archive log runs? ones know known
    learn(?:ed|t)? found have got search grep query discover(?:ed)? concluded? established"""
)
_WHOSE = either(
    """our the all any which list show find search every your past earlier previous see me
    <count>"""
)
_KNOWN = (
    _AFTER_COLON,
    rule(rf"\b{_MENTIONS}\s+(.+)"),
    rule(
        rf"""\b(?:{RECORD}|{_KNOWING})\s+(?:on\s+(?:file|record)\s+)?(?:\w+\s+){{0,2}}?
        (?:on|for|of|with|around|in)\s+(?!(?:file|record)\b)(.+)"""
    ),
    rule(r"\b(?:for|on)\s+(.+)"),
    rule(
        rf"""(?:\b{_WHOSE}\s+|^)(?!(?:{RECORD}|{COMMAND}\s+(?:the|all|our))\b)
        (.+?)\s+(?:related\s+)?{RECORD}\b"""
    ),
    rule(r"^(?:search|grep|query|look\s+up|find)\s+(.+)"),
    rule(rf"^{RECORD}\s*[,:;]\W*(.+)$"),
)

_OF_RECORDS = rule(rf"\b(?:{_KIND}|{RECORD})\b")
_DESCRIBED = rule(
    rf"""^(?:(?:some|any|more|other|the|an?)\s+)*
    (?:{_KIND}|something|anything|everything|whatever|some|more)\s+\w+"""
)
"""What is looked for is a feature: which one, the rest says."""


def concept_in(masked: str) -> str | None:
    """What features are looked for."""
    return _innermost(_CONCEPT, _DESCRIBED, masked)


def topic_in(masked: str) -> str | None:
    """What findings are looked for."""
    return _innermost(_KNOWN, _OF_RECORDS, masked)


def _innermost(
    rules: tuple[re.Pattern[str], ...], still: re.Pattern[str], masked: str
) -> str | None:
    """What the rules find, and find again within it while it still tells of more than words."""
    found = _first(rules, masked)
    while found is not None and still.search(found):
        inner = _first(rules, found)
        if inner is None or len(inner) >= len(found):
            break
        found = inner
    return found


_PREAMBLE = rule(rf"^[^:]*:\s*(?=(?:{_ASKING}|is|are|do|does|did)\s)")
"""`Before I begin: are there features for ...`"""


def _first(rules: tuple[re.Pattern[str], ...], masked: str) -> str | None:
    masked = _PREAMBLE.sub("", masked)
    found = (match for one in rules if (match := one.search(masked)))
    trimmed = (without_edges(match[1]) for match in found)
    # What has a placeholder within says more than words.
    return next(
        (one for one in trimmed if not empty(one) and "<" not in one and not _ASIDE.search(one)),
        None,
    )


_ASIDE = rule(r"\b(?:i|you|we)\s+(?:know|mean|guess|think|suppose|see)\b")
_FRAME = rule(
    rf"{FUNCTION}|{COMMAND}|{_ASKING}|{_KIND}|{_LINKED}|{_FIRES}|{_ENCODES}|{LABORATORY}|{RECORD}"
    rf"|{_KNOWING}"
    r"|look(?:ed|ing)?|concepts?|ideas?|before|earlier|yet|already|so|far|for|<\w+>|\W*"
)
"""Words that ask; what they stand around is what is asked for."""


_PRONOUN = rule(r"\b(?:i|you|we|he|she|they|it|what|who|that|this|does|is|are|was)\b")


def words_left(masked: str) -> str | None:
    """What is left between the words that ask, where the wording is none that is known."""
    found = masked.split()
    while found and _FRAME.fullmatch(found[0].strip(",.;:?!")):
        found = found[1:]
    while found and _FRAME.fullmatch(found[-1].strip(",.;:?!")):
        found = found[:-1]
    # A sentence asks for something else than its words.
    return None if _PRONOUN.search(" ".join(found)) else bare_words(" ".join(found))
