"""How far one question gets: one-shot labels of planted features, held against what they mean.

    python -m benchmarks.one_shot [-n 100] [--seed 0] [--detector grounder] [--json]

Everything is asked for through the public command line, as a user's program would: `lmmscope tool
--lines`. Only this module knows what the features mean. Per single-concept feature: evidence,
explanation, label; then the right label's scores beside those of other features' labels, on
pictures that were not used to explain. Noise features should get no label.

Shapes: n features of each kind.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.one_line import in_one_line
from toybox.measures import Estimate, bootstrapped, share
from toybox.planted import Planted, plant

OTHERS = 5
"""Labels of other features that each right label is compared with."""
SHOWN = 5
BARS = {
    "single-concept features named": ">= 0.8",
    "noise features without a label": ">= 0.8",
    "strict IoU, right over shuffled": ">= 5",
    "AUROC, right labels": ">= 0.9",
    "AUROC, shuffled labels": "0.45 to 0.55",
}
Answer = dict[str, Any]


class Tools:
    """A running `lmmscope tool --lines`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def call(self, tool: str, **arguments: object) -> Answer:
        """One call; a failure is told on standard error and answered with nothing."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps({"tool": tool, "arguments": arguments}), file=self._process.stdin)
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "failure" in answer:
            print(f"{tool}: {answer['reason']}", file=sys.stderr)
        return answer.get("result", {})


class Told(NamedTuple):
    """What became of one feature."""

    seed: int
    feature: int
    meaning: Planted
    label: str | None
    scores: Answer
    wrong: Answer
    """Scores of another feature's label."""


@contextmanager
def tools(seed: int) -> Generator[Tools]:
    """The tools on one planted set."""
    command = [sys.executable, "-m", "lmmscope", "tool", "--lines", "--planted-seed", str(seed)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Tools(process)
    finally:
        process.communicate()


def label_of(lab: Tools, feature: int) -> str | None:
    """What one question and one shortening make of a feature."""
    evidence = lab.call("top_images", feature=feature, top=SHOWN)
    explained = lab.call("explain", evidence=evidence.get("evidence"), count=SHOWN)
    if not explained.get("hypotheses"):
        return None
    said = explained["hypotheses"][0]["text"]
    return lab.call("refine", explanation=said).get("outcome", {}).get("text")


def scores_of(lab: Tools, feature: int, label: str, **how: object) -> Answer:
    """A label's scores on pictures that were not used to explain."""
    return lab.call("score", feature=feature, label=label, **how).get("scores", {})


def one_set(seed: int, singles: int, noises: int, detector: str) -> Iterator[Told]:
    """Some features of one planted set."""
    meanings = plant(seed)
    rng = np.random.default_rng((91, seed))
    left = {"single": singles, "noise": noises}
    with tools(seed) as lab:
        for feature, meaning in enumerate(
            track(meanings, f"set {seed}", console=Console(stderr=True))
        ):
            if left.get(meaning.rule, 0) <= 0:
                continue
            left[meaning.rule] -= 1
            label = label_of(lab, feature)
            scores: Answer = {}
            wrong: Answer = {}
            if meaning.rule == "single":
                rest = [m.label for m in meanings if m.rule == "single" and m != meaning]
                others = [str(one) for one in rng.choice(rest, OTHERS, replace=False)]
                how = {"which": ["iou", "detection"], "detector": detector}
                right = {"label": meaning.label, "others": others, "nulls": OTHERS}
                scores = scores_of(lab, feature, **right, **how)
                wrong = scores_of(lab, feature, others[0], which=["detection"], detector=detector)
            yield Told(seed, feature, meaning, label, scores, wrong)


def features(n: int, seed: int, detector: str) -> Iterator[Told]:
    """Sets until n single-concept features are told, with the noise features among them."""
    told = 0
    for planted_seed in range(1000 * seed, 1000 * seed + n):
        if told >= n:
            return
        for one in one_set(planted_seed, n - told, n, detector):
            told += one.meaning.rule == "single"
            yield one


def mean(values: list[float], seed: int) -> Estimate:
    """Over features, with a bootstrap interval."""
    return bootstrapped(values, lambda some: float(np.mean(some)), seed)


def summary(told: list[Told], seed: int) -> dict[str, Estimate]:
    """What must hold, measured."""
    singles = [one for one in told if one.meaning.rule == "single"]
    noises = [one for one in told if one.meaning.rule == "noise"]

    right_iou = [one.scores["iou_strict"] for one in singles if "iou_strict" in one.scores]
    iou = [
        (score["value"], null["value"])
        for score in right_iou
        for null in score["nulls"]
        if null["name"] == "shuffled_labels"
    ]

    found = {
        "single-concept features named": share([o.label == o.meaning.label for o in singles]),
        "noise features without a label": share([one.label is None for one in noises]),
    }
    for words, scores in (
        ("right", [o.scores for o in singles]),
        ("shuffled", [o.wrong for o in singles]),
    ):
        told_apart = [score["auroc"]["value"] for score in scores if "auroc" in score]
        found[f"AUROC, {words} labels"] = mean(told_apart, seed)
    found["strict IoU, right labels"] = mean([right for right, _ in iou], seed)
    found["strict IoU, shuffled labels"] = mean([wrong for _, wrong in iou], seed)
    found["strict IoU, right over shuffled"] = bootstrapped(iou, _ratio, seed)
    return found


def _ratio(pairs: list[tuple[float, float]]) -> float:
    right, shuffled = np.mean(pairs, 0)
    return float(right / max(shuffled, 1e-9))


@in_one_line()
def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-n", type=int, default=100, help="single-concept features")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--detector", default="grounder", choices=("clip", "grounder"))
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    told = list(features(given.n, given.seed, given.detector))
    found = summary(told, given.seed)
    if given.json:
        rows = {name: value._asdict() for name, value in found.items()}
        each = [
            {"set": o.seed, "feature": o.feature, "meaning": o.meaning.label, "label": o.label}
            for o in told
        ]
        print(json.dumps({"summary": rows, "features": each}, indent=1))
        return
    table = Table("measure", "value", "95 % interval", "bar", "n")
    for name, value in found.items():
        between = f"{value.low:.3f} to {value.high:.3f}"
        table.add_row(name, f"{value.value:.3f}", between, BARS.get(name, ""), str(value.n))
    Console().print(table)


if __name__ == "__main__":
    main()
