"""A search of what is known says what it searched for, and names what it found."""

import pytest

from agent.plan import SearchFindings
from agent.planner import Named
from agent.tasks import told
from agent.tasks.recalling import search_findings
from tools.search_findings import KnownFinding, SearchFindingsResult


class Recorded:
    """A desk that gives what it was made with, and keeps what it was asked for."""

    def __init__(self, *found):
        self.found, self.asked = found, {}

    async def use(self, tool, why, **arguments):
        self.asked = {"tool": tool, "why": why, **arguments}
        return SearchFindingsResult(found=self.found)


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.mark.parametrize(
    ("task", "said"),
    [
        (SearchFindings(words="wheel"), "findings about 'wheel'"),
        (SearchFindings(status="refuted"), "refuted findings"),
        (SearchFindings(words="wheel", status="supported"), "supported findings about 'wheel'"),
        (SearchFindings(status="too rare"), "findings that ended as 'too rare'"),
    ],
)
@pytest.mark.anyio
async def test_what_is_searched_for_is_said(task, said):
    desk = Recorded()
    done = await search_findings(desk, task)
    assert told(task) == f"search for {said}"
    assert done.text == f"There are no {said}."
    assert desk.asked["why"] == said
    assert (desk.asked["words"], desk.asked["status"]) == (task.words, task.status)


@pytest.mark.anyio
async def test_what_is_found_is_told_and_named():
    one = KnownFinding(
        finding="ab12cd34", feature=9, status="refuted", label="boat", category=None,
        summary="It is not about boats.", score=1.0,
    )  # fmt: skip
    done = await search_findings(Recorded(one), SearchFindings(status="refuted"))
    assert done.text == ("Refuted findings:\n- It is not about boats. (finding ab12cd34)")
    assert done.named == (Named(9, "ab12cd34"),)
