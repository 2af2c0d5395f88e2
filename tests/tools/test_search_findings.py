import pytest

from tests.tools.conftest import Scripted
from tools.failures import WontWork
from tools.lab import Lab, Makers
from tools.labels import Known, KnownLabels
from tools.registry import named
from tools.search_findings import SearchFindingsArguments, search_findings

pytestmark = pytest.mark.anyio

FINDING = Known("f1", 118, "supported", "red umbrella", "object", "responds to umbrellas", 0.5)


@pytest.fixture
def lab(tmp_path):
    """A lab that has nothing but labels."""
    nothing = dict.fromkeys(Makers._fields[:6], Scripted)
    return Lab(Makers(**nothing), {}, tmp_path)


class Told(KnownLabels):
    """Labels that remember what they were asked."""

    def __init__(self):
        super().__init__({})
        self.asked = []

    def known(self, words=None, **asked):
        self.asked.append((words, asked))
        return [FINDING]


async def test_it_asks_for_all_that_it_is_told_and_gives_what_is_known(lab):
    lab.labels = Told()
    arguments = SearchFindingsArguments(words="umbrella", status="supported", feature=118, count=3)
    result = await search_findings.call(lab, arguments)
    assert lab.labels.asked == [("umbrella", {"status": "supported", "feature": 118, "count": 3})]
    assert [one.model_dump() for one in result.found] == [FINDING._asdict()]


async def test_labels_that_were_given_are_no_findings(lab):
    lab.labels = KnownLabels({3: "red umbrella"})
    result = await search_findings.call(lab, SearchFindingsArguments(words="umbrella"))
    assert result.found == ()


def test_it_has_to_be_told_something():
    with pytest.raises(WontWork, match="give words, a status or a feature"):
        named("search_findings").parse({"count": 3})


def test_an_unknown_status_is_refused():
    with pytest.raises(WontWork, match="search_findings: status"):
        named("search_findings").parse({"status": "right"})
