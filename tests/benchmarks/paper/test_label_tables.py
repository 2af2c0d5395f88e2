"""The tables on labels, from end to end on a few planted features, whose meaning is known."""

import asyncio
import os
from datetime import UTC, datetime
from typing import Any, cast

import numpy as np
import pytest

from agent.findings import Cost, FeatureFinding, Provenance
from agent.store import Store
from agent.store.records import Verdict
from benchmarks.paper import chance, scoring, survey, table1, table2, table4
from benchmarks.paper.chance import Pool
from benchmarks.paper.drawing import draw
from benchmarks.paper.kept import Kept
from benchmarks.paper.labelling import OTHER, Told, concept_of
from benchmarks.paper.modes import opened, setups
from benchmarks.paper.people import verdicts
from benchmarks.paper.published import CONCEPTS, TABLE_1, TOTAL
from benchmarks.paper.report import markdown
from benchmarks.paper.rows import N_PAPER, N_STRICT, PAPER, RANDOM
from benchmarks.paper.scoring import Asked, scored
from benchmarks.paper.survey import Survey, surveyed
from lmmscope.settings import load_settings
from sae_core.errors import UserError
from sae_core.index.query import Index
from sae_core.scoring.overlap import overlap_cases
from tools.failures import TryAgain, WontWork
from tools.lab import Lab
from tools.measures import grounded

WHICH = ("iou", "clip", "consistency")
FEATURES = 3
NOBODYS = "0" * 64
NO_LAB = cast("Lab", None)
PROVENANCE = Provenance(model="m", hook="h", coder="c")


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Both modes of the toybox on few pictures, with planted features."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LMMSCOPE_DATA__EXPLORE_PICTURES", "120")
        patch.setenv("LMMSCOPE_DATA__HELD_OUT_PICTURES", "100")
        settings = load_settings("toybox")
    runs = tmp_path_factory.mktemp("paper")
    return setups(settings.model_copy(update={"runs": runs}), planted_seed=0)


@pytest.fixture(scope="module")
def found(both):
    """What a survey measured, on few pictures each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scoring, "HELD_OUT", 8)
        patch.setattr(chance, "SIZE", 60)
        return asyncio.run(surveyed(both, FEATURES, WHICH, seed=0))


def cells_of(report) -> dict[str, Any]:
    """The first table's cells, by row."""
    return {row.name: row.cells for row in report.tables[0].rows}


def in_lab(both, work):
    async def run():
        async with opened(both["paper"], seed=0) as lab:
            return await work(lab)

    return asyncio.run(run())


def test_each_feature_is_measured_in_both_modes(found):
    assert set(found.modes) == {"paper", "strict"}
    for measured in found.modes.values():
        assert tuple(one.feature for one in measured.told) == found.drawn.features
        assert len(measured.scored) == sum(one.label is not None for one in measured.told) > 0
    (first, *_) = found.modes["paper"].scored
    assert set(first.values) == set(WHICH)
    assert {which: len(runs) for which, runs in first.trials.items()} == {"iou": 10, "clip": 30}
    held_out = [one for one in found.modes["strict"].scored if not one.few]
    assert held_out
    assert all(not one.trials and "iou" in one.nulls for one in held_out)


def test_a_table_counts_every_feature_once(found):
    report = table1.report(found, "typed", 0)
    for table in report.tables:
        rows: dict[str, Any] = {row.name: row.cells for row in table.rows}
        assert set(rows) == {*CONCEPTS, OTHER, TOTAL}
        for column in (N_PAPER, N_STRICT):
            parts = sum(rows[name][column] for name in (*CONCEPTS, OTHER))
            assert parts == rows[TOTAL][column] > 0
    assert report.tables[0].rows[0].cells["the paper"] == TABLE_1["scene"].iou
    assert "| total | 3 |" in markdown(report)


def test_modes_are_compared_on_the_same_features(found):
    one, two = (found.modes["paper"].scored[0].model_copy(update={"feature": n}) for n in (1, 2))
    strict = one.model_copy(update={"values": {"iou": 0.25, "clip": 20.0}})
    paper = one.model_copy(update={"values": {"iou": 0.5, "clip": 30.0}})
    modes = {
        "paper": found.modes["paper"]._replace(scored=(paper, two)),
        "strict": found.modes["strict"]._replace(scored=(strict,)),
    }
    told = markdown(table1.report(found._replace(modes=modes), "typed", 0))
    assert "IoU of the 1 features that have one in both modes, paper and strict: 0.500 and" in told


def test_a_target_without_places_in_the_picture_has_no_table_of_ious(found):
    report = table1.report(found._replace(placeless=True), "typed", 0)
    assert [table.title for table in report.tables] == ["CLIP-score"]


def test_a_damaged_file_is_measured_anew(tmp_path):
    kept, made = Kept(tmp_path, {}), []

    async def make():
        made.append(1)
        return Told(feature=1)

    def again():
        return asyncio.run(kept.once(Told, {"feature": 1}, make, lambda _: True))

    assert again() == again()
    assert len(made) == 1
    (file,) = tmp_path.iterdir()
    file.write_text('{"feat')
    assert again() == Told(feature=1)
    assert len(made) == 2


def test_a_command_that_was_killed_measures_nothing_twice(both, found, monkeypatch):
    async def never(*_):
        raise AssertionError("measured again")

    monkeypatch.setattr(survey, "labelled", never)
    monkeypatch.setattr(survey, "scored", never)
    assert asyncio.run(surveyed(both, FEATURES, WHICH, seed=0)) == found


def test_what_other_code_measured_is_measured_again(both, found, monkeypatch):
    """Numbers from before an update were once taken for those of the new code."""
    asked = []

    async def labelled(_lab, feature):
        asked.append(feature)
        return Told(feature=feature)

    monkeypatch.setattr(survey, "labelled", labelled)
    monkeypatch.setattr(survey, "code", lambda: NOBODYS)
    asyncio.run(surveyed(both, FEATURES, WHICH, seed=0))
    assert sorted(asked) == sorted(2 * found.drawn.features)


def test_a_failure_is_counted_and_is_no_score(found, monkeypatch):
    async def broken(_lab, tool, **_):
        if tool == "score":
            raise WontWork("the grounder is out of memory")
        return type("Seen", (), {"short": False, "evidence": NOBODYS})

    monkeypatch.setattr(scoring, "call", broken)
    told = Told(feature=1, label="cat", concept="object")
    failed = asyncio.run(scored(NO_LAB, told, Asked("paper", ("iou", "clip"), (), None)))
    assert failed.values == {}
    assert set(failed.failures) == {"iou", "clip"}
    assert not failed.again
    paper = found.modes["paper"]._replace(told=(told,), scored=(failed,))
    report = table1.report(found._replace(modes=found.modes | {"paper": paper}), "typed", 0)
    total = report.tables[0].rows[-1].cells
    assert (total[N_PAPER], total[PAPER], total[RANDOM]) == (0, None, None)
    assert "2 scores failed (1 x iou: the grounder is out of memory" in markdown(report)


def test_a_failure_that_may_be_gone_the_next_time_is_not_kept(monkeypatch, both):
    async def busy(_lab, feature):
        return Told(feature=feature, failure="the server is busy", again=True)

    async def answers(_lab, feature):
        return Told(feature=feature)

    for way, failures in ((busy, 2), (answers, 0)):
        monkeypatch.setattr(survey, "labelled", way)
        again = asyncio.run(surveyed(both, 2, WHICH, seed=7))
        assert sum(one.failure is not None for one in again.modes["paper"].told) == failures


def test_chance_asks_the_grounder_only_where_it_matters(both, found, monkeypatch):
    """Where the feature is silent nothing can overlap, whatever the grounder finds."""
    monkeypatch.setattr(chance, "SIZE", 40)
    one = found.modes["paper"].scored[0]

    async def work(lab):
        pool = Pool(lab, found.drawn.features)
        lit = pool._seen()[one.feature]
        shown = [lab.picture("explore", int(number)) for number in pool._number_M]
        everywhere = grounded(lab, shown, one.label)
        iou_M = np.zeros(pool.size)
        for place, here in lit.items():
            iou_M[place] = overlap_cases([here], [everywhere[place]], "paper").value_N[0]
        drawn_TN = pool._trials(one.feature, chance.IOU_TRIALS)
        assert pool.ious(one.feature, one.label) == tuple(iou_M[drawn_TN].mean(1).tolist())
        assert len(lit) < pool.size

    in_lab(both, work)


def test_fewer_features_are_among_more_of_them(both):
    async def work(lab):
        return [draw(lab.index("explore"), count, 0) for count in (2, 4, 10**6)]

    two, four, every = in_lab(both, work)
    assert two.features == four.features[:2]
    assert len(every.features) == every.eligible
    assert every.eligible + every.few + every.silent == 100


def test_features_that_never_fire_are_refused_in_one_line():
    class Silent:
        def picture_rates(self):
            return np.zeros(4)

        spec = type("Spec", (), {"size": 100})

    with pytest.raises(UserError, match="None of 4 features"):
        draw(cast("Index", Silent()), 2, 0)


@pytest.mark.parametrize(
    ("category", "concept"), [("color", "colour"), ("scene", "scene"), ("emotion", OTHER)]
)
def test_classes_have_the_papers_names(category, concept):
    assert concept_of(category) == concept


def test_people_stand_beside_the_judge_where_they_said_something(found, tmp_path):
    nobody = table2.report(found, verdicts(tmp_path), "typed", 0)
    assert "no verdicts here" in markdown(nobody)
    assert not (tmp_path / "findings.db").exists()
    said(tmp_path, category="color", scores={"a": 5, "b": 2})
    said(tmp_path, category="object", scores={"a": 4})
    rows = cells_of(table2.report(found, verdicts(tmp_path), "t", 0))
    assert rows["colour"]["people"].value == 0.5
    assert rows["object"]["people"].value == 1.0
    assert rows[TOTAL]["n, people"] == 2
    assert rows["scene"]["people"] is None
    assert rows["scene"]["the paper's people"].value == 0.70


def said(runs, category, scores):
    """A finding with people's verdicts."""
    finding = FeatureFinding(
        key=category, run="r", summary="s", cost=Cost(), provenance=PROVENANCE,
        feature=1, status="refuted", label="cat", category=category, evidence=NOBODYS,
    )  # fmt: skip
    with Store(runs) as store:
        if not store.runs_begun():
            store.begin("r", "?", PROVENANCE, pid=os.getpid())
        store.put(finding)
        for reviewer, score in scores.items():
            at = datetime(2026, 1, 1, tzinfo=UTC)
            store.judge(
                Verdict(finding=finding.id, reviewer=reviewer, score=score, tags=(), note="", at=at)
            )


def test_the_toybox_stands_beside_architectures_that_only_the_paper_has(found):
    shown = found._replace(target="toybox:target")
    rows = cells_of(table4.report(shown, "t", 0))
    assert rows["Qwen2.5-VL"]["the paper"].value == 0.2667
    assert rows["Qwen2.5-VL"][PAPER] is None
    assert rows["the toybox"][PAPER] is not None
    real = Survey(found.drawn, found.modes, "Qwen/Qwen2.5-VL-7B-Instruct", placeless=False)
    rows = cells_of(table4.report(real, "t", 0))
    assert set(rows) == {"Qwen2.5-VL", "InstructBLIP-7B"}
    assert rows["Qwen2.5-VL"][PAPER] is not None


def test_a_server_that_is_busy_is_asked_again_later():
    async def busy(*_, **__):
        raise TryAgain("busy")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scoring, "call", busy)
        told = Told(feature=1, label="cat", concept="object")
        assert asyncio.run(scored(NO_LAB, told, Asked("strict", ("iou",), (), None))).again
