"""What a finding would need to be found again: models, pictures, prompts, packages, revision.

Knows where these are written down; nothing of what they do.
"""

from __future__ import annotations

import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import prompts
from agent.desk import Rules
from agent.findings import Provenance, digest
from sae_core.index.levels import levels_of
from tools.evidence import Split
from tools.failures import WontWork
from tools.lab import Lab

PACKAGES = ("lmmscope", "torch", "transformers", "numpy", "langgraph", "pydantic")
SPLITS: tuple[Split, ...] = ("explore", "validate", "test")
METHOD = 3
"""Raised when features are investigated in another way: then nothing earlier counts as done."""


def provenance(lab: Lab, profile: str) -> Provenance:
    """Of everything that this lab finds."""
    observer = lab.observer
    return Provenance(
        model=observer.model,
        hook=observer.hook,
        coder=observer.digest,
        levels=levels_of(observer),
        pictures=_pictures(lab),
        models={
            "explainer": lab.explainer.identity,
            "judge": lab.judge.identity,
            "grounder": lab.grounder.identity,
            # They choose the pictures that are looked at, and decide between hypotheses.
            "clip": lab.clip.identity,
            **({"editor": lab.editor.identity} if lab.edits else {}),
        },
        prompts={name: prompts.load(name).content_hash for name in prompts.names()},
        packages={name: _version(name) for name in PACKAGES},
        revision=_revision(),
        profile=profile,
        seed=lab.seed,
    )


def feature_key(known: Provenance, feature: int, rules: Rules) -> str:
    """What is asked of a feature, by content: with the same key the answer is the same."""
    return _key(known, feature, rules)


def task_key(known: Provenance, task: dict[str, Any], rules: Rules) -> str:
    """The same for a task that is no feature's."""
    return _key(known, task, rules)


def _key(known: Provenance, asked: int | dict[str, Any], rules: Rules) -> str:
    return digest(
        METHOD,
        asked,
        known.model,
        known.hook,
        known.coder,
        known.levels,
        known.pictures,
        known.models,
        known.prompts,
        known.seed,
        # What a fork asks is a question of its own, so its sealed pictures are one more try.
        known.fork,
        rules.model_dump(),
    )


def subject_of(known: Provenance, feature: int) -> str:
    """What sealed pictures are opened for, whichever settings it is asked with."""
    return f"feature {feature} of {known.coder}"


def _pictures(lab: Lab) -> dict[str, str]:
    found = {}
    for split in SPLITS:
        try:
            # The digest names a split's pictures without showing any.
            found[split] = lab.opening(split).pictures(split).digest
        except WontWork:
            continue
    return found


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _revision() -> str:
    """Git's, where this code lies in a checkout."""
    here = Path(__file__).parent
    try:
        run = subprocess.run(
            ["git", "describe", "--always", "--abbrev=40", "--dirty=+", "--exclude=*"],
            cwd=here, capture_output=True, text=True, timeout=10, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return run.stdout.strip() if run.returncode == 0 else ""
