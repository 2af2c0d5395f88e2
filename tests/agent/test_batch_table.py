"""A batch in rows: what is kept of each finding, what many tries take back, and the table."""

import pytest

from agent.batch import Failed, Labelled
from agent.batch_table import row_of, table
from agent.findings import Check, Cost, FeatureFinding, Provenance, Verification
from agent.tasks.labelling import SHOWN, corrected, ended
from agent.verification import among
from sae_core.scoring.estimate import Null, Score


def finding(feature, status, p, scores=None):
    check = Check(name="where", passed=True, value=1, low=1, bar=0, p=p)
    verification = Verification(
        claim="a", pictures="b", evidence="0" * 64, sheet="1" * 64, checks=(check,),
        scores=scores or {}, passed=status == "supported", one_shot=None,
    )  # fmt: skip
    return FeatureFinding(
        key=str(feature), run="r", summary="s", cost=Cost(), feature=feature, status=status,
        provenance=Provenance(model="m", hook="h", coder="c"), evidence="0" * 64,
        label=None if p is None else "a", verification=None if p is None else verification,
    )  # fmt: skip


def rows(*found):
    return tuple(row_of(finding(*one)) for one in found)


def standing(made):
    adjusted = among({one.finding: one.chance for one in made if one.chance is not None})
    return corrected(made, adjusted, 0.05)


def test_a_finding_that_many_tries_make_likely_by_chance_loses_its_support():
    alone = standing(rows((0, "supported", 0.04)))
    assert [one.status for one in alone] == ["supported"]
    others = ((n, "refuted", 0.9) for n in range(2, 10))
    kept = standing(rows((0, "supported", 0.04), (1, "supported", 0.001), *others))
    assert [one.status for one in kept[:2]] == ["refuted", "supported"]
    assert [one.feature for one in kept] == list(range(10))


def test_claims_that_failed_do_not_make_those_that_passed_less_rare():
    # A claim may fail for its reach alone, with p of all other checks as small as can be.
    refuted = ((n, "refuted", 0.0003) for n in range(1, 40))
    kept = standing(rows((0, "supported", 0.04), *refuted))
    assert {one.status for one in kept} == {"refuted"}


def test_each_verified_finding_has_its_p_among_all_of_them():
    adjusted = among({"a": 0.01, "b": 0.5, "c": 0.9})
    assert list(adjusted) == ["a", "b", "c"]
    assert adjusted["a"] == pytest.approx(0.03)


def test_a_batch_without_anything_to_verify_stays_as_it_is():
    made = rows((0, "no explanation", None))
    assert standing(made) == made
    assert standing(()) == ()


def test_the_table_has_means_of_what_was_measured_by_class():
    null = Null(name="moved_masks", value=0.1, low=0, high=0.2, n=9, draws=9, p=0.1)
    score = Score(value=0.6, low=0.5, high=0.7, n=9, nulls=(null,))
    made = rows(
        (0, "supported", 0.01, {"iou_strict": score}),
        (1, "refuted", 0.5, {"iou_strict": score.model_copy(update={"value": 0.2, "low": 0.1})}),
        (2, "too rare", None),
    )
    made = (made[0]._replace(category="object"), *made[1:])
    lines = [line.strip("| ").split(" | ") for line in table(made).splitlines()]
    assert lines[0][:5] == ["class", "features", "supported", "IoU", "moved masks"]
    assert lines[2][:5] == ["none", "2", "0", "0.20", "0.10"]
    assert lines[3][:5] == ["object", "1", "1", "0.60", "0.10"]
    assert lines[4][:5] == ["all", "3", "1", "0.40", "0.10"]


def test_long_lists_are_named_in_part_and_counted_whole():
    failed = tuple(Failed(n, "why not") for n in range(SHOWN + 5))
    done = ended(Labelled((), failed, 0), (), "text")
    assert done.text.count("why not") == SHOWN
    assert f"{SHOWN + 5} failed" in done.text
    assert "and 5 more" in done.text
    assert len(done.failures) == SHOWN + 5
    few = ended(Labelled((), failed[:2], 0), (), "text")
    assert few.text.endswith("- feature 1: why not")
