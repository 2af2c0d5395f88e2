"""The concept that features, or findings, are looked for: `red cars` in `what fires on red cars?`.

Knows how people ask for a concept; nothing of which concepts there are.
"""

from __future__ import annotations

import re

from agent.planner.english import COLOUR, RECORD, either, rule, words

_VERY = either(
    """most mainly mostly strongly best only primarily especially reliably really very highly"""
)
_STRENGTH = rf"(?:{_VERY}\s+)*"
_SEEING = r"""(?:(?:the\s+)?(?:presence|sight|occurrence|appearance)\s+of\s+
    | (?:when(?:ever)?|if|where)\s+
      (?:(?:it|i|we|one|you|the\s+(?:model|network))\s+
         (?:sees?|looks?\s+at|show(?:s|ed)?|(?:is|am|are)\s+shown)\s+
        | there(?:\s+is|\s+are|'s)\s+)?
    )?"""
_KIND = either("features? units? neurons? latents? detectors? directions? ones?")
_LINKED = either(
    """respon\\w+ react\\w* sensitive tuned attuned selective devoted dedicated relat\\w+ linked
    tied attend\\w* specific speciali[sz]ed? belong\\w* correspond\\w* (?:has|have)_to_do
    to_do associated concerned deal\\w* connect\\w* relevant pertain\\w* akin close(?:st)?"""
)
_FIRES = either(
    """fir(?:e|es|ing) activat\\w+ active light\\w*(?:_up)? lit(?:_up)? trigger\\w* switch\\w*_on
    turn\\w*_on go(?:es)?_(?:off|wild) spik\\w+ excited wak\\w+_up high flare\\w* driven"""
)
_ENCODES = either(
    """encod(?:e|es|ing) represent(?:s|ing)? detect(?:s|ing)? captur(?:e|es|ing) track(?:s|ing)?
    concern(?:s|ing)? involv(?:e|es|ing) recogni[sz](?:e|es|ing) mean(?:s|ing)?
    signal(?:s|ling)? stand(?:s|ing)?_for look(?:s|ing)?_(?:out_)?for car(?:e|es|ing)_about
    pick(?:s|ing)?_(?:up|out)(?:_on)? see(?:s|ing)? know(?:s|ing)?(?:_about)? show(?:s|ing)
    describ(?:e|es|ing) lik(?:e|es|ing) hous(?:e|es|ing) hold(?:s|ing)? cod(?:e|es|ing)_for
    spot(?:s|ting)? notic(?:e|es|ing) cover(?:s|ing)? understand(?:s|ing)? contain(?:s|ing)?
    carr(?:y|ies|ying) read(?:s|ing)? match(?:es|ing)?"""
)
_ASKING = either(
    """find search(?:_for)? look(?:ing)?_(?:up|for) locate show list get give fetch any have some
    are_there is_there which what where(?:'s|_is|_are) identify hunt(?:_for)? seek all want
    need <count>"""
)
_AFTER_COLON = rule(r":\s*(?!.*:)(\S.*)$")
_LABORATORY = either(
    """saes? model network dictionary autoencoder layer coder lmm database db findings records
    runs store target results labels archive index lab notes? logs? files? <layer>"""
)
_SCOPE = rf"(?:the|this|our|my|your|its|that|a)?\s*(?:(?:current|whole|loaded)\s+)?{_LABORATORY}"

_CONCEPT = (
    _AFTER_COLON,
    rule(rf"\b{_LINKED}\s+{_STRENGTH}(?:to|for|with|by|in|on)\s+{_SEEING}(.+)"),
    rule(
        rf"\b(?:{_FIRES}|respond\w*|react\w*)\s+{_STRENGTH}(?:on|for|at|by|with|in|to|over|upon)?\s*{_SEEING}(.+)"
    ),
    rule(
        rf"""\b(?:where|how)\s+(?:in\s+{_SCOPE}\s+)?(?:is|are|do|does)\s+(.+?)\s+
        (?:encoded|represented|stored|detected|handled|captured|found|located|kept|
        lives?|sits?|hides?|resides?|shows?\s+up|dwells?)\b"""
    ),
    rule(rf"\b{_ENCODES}\s+(?!(?:me|us|if|whether|what|which|why|how)\b)(.+)"),
    rule(
        rf"""\b(?:{_KIND}|anything|something|everything|candidates|matches)\s+
        (?:(?:is|are)\s+)?(?:there\s+)?
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
    rule(rf"(?:\b{_WHOSE}\s+|^)(?!{RECORD}\b)(.+?)\s+(?:related\s+)?{RECORD}\b"),
    rule(r"^(?:search|grep|query|look\s+up|find)\s+(.+)"),
    rule(rf"^{RECORD}\s*[,:;]\W*(.+)$"),
)

_CONCEPT_WORD = either("concepts? ideas? notion words? term text lettering topic subject")
_BEFORE = either(
    """an? the any some all our my this that these those things?_like anything_(?:like|about)
    something_like stuff_like only to of for on about in with which is are me us related_to
    most strongly also already known findings? labels? past earlier previous existing old
    stored supported related"""
)
_EDGE_START = rule(
    rf"""^(?:
    (?:concepts?|ideas?|notion)\s+of\s+ | written\s+words?\s+
    | (?:the|an?)\s+(?:(?:written|printed)\s+)?
      (?:{_CONCEPT_WORD}|colou?r(?=\s+(?:of|{COLOUR})\b))\s+(?:(?:of|for|is)\s+)?
    | (?:pictures?|images?|photos?|scenes?|shots?)\s+(?:of|with|showing|that\s+(?:show|contain))\s+
    | {_BEFORE}\s+
    | [\s,:;.?!"'-]+
    )"""
)
_BEHIND = either(
    """please best most strongly at_all anywhere so_far already yet before by_now until_now
    to_date there here the_most the_best too exists? again instead right_now now and or in of
    with on for about features? have has any some somewhere do_we_have we_have are_there is_there
    known findings? labels? verdicts? status that which were was is are been only
    (?:show|give|list|return)(?:_me)? concepts?"""
)
_LIMIT = either("at_most top up_to limit(?:ed)?(?:_to)? max(?:imum)? just only the")
_EDGE_END = rule(
    rf"""(?:
    \s*[,;.]\s*(?:(?:and|please)\s+)*\w+\s+(?:it|them|those)\b.*
    | \s*,?\s+(?:since|because|given\s+that|(?<=,\s)as)\s+.*
    | \s+(?:that|which|who)\s+
      (?:were|was|are|is|turned|have|had|could|did|failed|passed|got|came)\b.*
    | \s+(?:is|are)\s+
      (?:visible|shown|present|there|around|in\s+(?:the\s+)?(?:picture|view|image))\b.*
    | [\s,:;.?!"'-]+
    | \s+(?:in|inside|within|of|from|for|across|among|amongst|at|on)\s+{_SCOPE}
    | \s+{_BEHIND}
    | \s*[,(-]?\s*(?:(?:say|but),?\s+)?(?:{_LIMIT}\s+)*
      <\w+>(?:\s+(?:features|of\s+(?:them|those|these)))?
      (?:\s+(?:at\s+(?:the\s+)?most|max(?:imum)?|will\s+do|(?:is|are)\s+enough|only))?\)?
    )$"""
)
_EMPTY = words(
    """it them they that this those these one ones thing things something anything everything
    feature features concept concepts word words what me us all any some know knows do find
    found finding findings label labels search we you have and or to a an the of on in for
    about with list give show our your which were was is are there still verdict verdicts status
    outcome"""
)


_DESCRIBED = rule(
    rf"""^(?:(?:some|any|more|other|the|an?)\s+)*
    (?:{_KIND}|something|anything|everything|whatever|some|more)\s+\w+"""
)
"""What is looked for is a feature: which one, the rest says."""


def concept_in(masked: str) -> str | None:
    """What features are looked for."""
    found = _first(_CONCEPT, masked)
    while found is not None and _DESCRIBED.match(found):
        inner = _first(_CONCEPT, found)
        if inner is None or len(inner) >= len(found):
            break
        found = inner
    return found


def topic_in(masked: str) -> str | None:
    """What findings are looked for."""
    return _first(_KNOWN, masked)


_PREAMBLE = rule(rf"^[^:]*:\s*(?=(?:{_ASKING}|is|are|do|does|did)\s)")
"""`Before I begin: are there features for ...`"""


def _first(rules: tuple[re.Pattern[str], ...], masked: str) -> str | None:
    masked = _PREAMBLE.sub("", masked)
    found = (match for one in rules if (match := one.search(masked)))
    trimmed = (without_edges(match[1]) for match in found)
    # What has a placeholder within says more than words.
    return next((one for one in trimmed if not _empty(one) and "<" not in one), None)


def without_edges(text: str) -> str:
    """Without what stands around the concept."""
    before = None
    while before != text:
        before = text
        text = _EDGE_END.sub("", _EDGE_START.sub("", text))
    return text


def bare_words(text: str) -> str | None:
    """What is left of a text without edges, if it says anything."""
    kept = without_edges(text)
    return None if _empty(kept) or "<" in kept else kept


def _empty(text: str) -> bool:
    return all(word in _EMPTY or word.startswith("<") for word in text.lower().split())
