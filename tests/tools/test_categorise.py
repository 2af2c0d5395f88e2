"""Categorising: one of ten classes, or a failure."""

import pytest

from prompts import load
from tests.tools.conftest import Scripted
from tests.tools.nasty import LABELS
from tools.asking import Unparsable
from tools.categorise import CategoriseArguments, categorise
from tools.replies import CATEGORIES

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("kind", CATEGORIES)
async def test_the_class_is_what_the_explainer_says(make_lab, kind):
    chat = Scripted(kind)
    result = await categorise.call(make_lab(explainer=chat), CategoriseArguments(label="red cars"))
    assert result.category == kind
    assert result.prompt_hash == load("categorise").content_hash
    assert chat.asked[0].messages[0].text.endswith("Description: red cars")


@pytest.mark.parametrize("nasty", LABELS)
async def test_what_is_no_class_never_gets_into_a_result(make_lab, nasty):
    chat = Scripted(nasty, nasty, nasty)
    with pytest.raises(Unparsable):
        await categorise.call(make_lab(explainer=chat), CategoriseArguments(label=nasty))
