"""Refining: a label, or nothing to describe; both are answers."""

import pytest

from prompts import load
from tests.tools.conftest import Scripted
from tests.tools.nasty import LABELS
from tools.asking import Unparsable
from tools.failures import WontWork
from tools.refine import RefineArguments, refine
from tools.replies import Described, Undescribed
from tools.wording import LONGEST

pytestmark = pytest.mark.anyio


def refining(explanation):
    return RefineArguments(explanation=explanation)


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ("[ANSWER] red cars", Described(text="red cars")),
        ("Unable to produce descriptions", Undescribed()),
    ],
)
async def test_the_outcome_is_what_the_explainer_says(make_lab, reply, outcome):
    chat = Scripted(reply)
    result = await refine.call(make_lab(explainer=chat), refining("All show red cars."))
    assert result.outcome == outcome
    assert result.prompt_hash == load("refine").content_hash
    assert chat.asked[0].messages[0].text.endswith("Description: All show red cars.")


async def test_the_outcome_survives_json(make_lab):
    result = await refine.call(make_lab(explainer=Scripted("[ANSWER] cars")), refining("Cars"))
    assert refine.result.model_validate_json(result.model_dump_json()) == result


@pytest.mark.parametrize("nasty", LABELS)
async def test_an_explanation_with_instructions_changes_nothing_but_the_words(make_lab, nasty):
    """An explainer that repeats it all gives no label; the arguments have the same form."""
    repeat = [f"[ANSWER] {nasty}"] * 3
    try:
        result = await refine.call(make_lab(explainer=Scripted(*repeat)), refining(nasty))
    except Unparsable:
        return
    assert isinstance(result.outcome, Described)
    assert result.outcome.text.isprintable()
    assert "[ANSWER]" not in result.outcome.text


@pytest.mark.parametrize("wrong", ["", " \n", "x" * (LONGEST + 1)])
def test_an_empty_or_endless_explanation_is_refused(wrong):
    with pytest.raises(WontWork, match="refine: explanation"):
        refine.parse({"explanation": wrong})
