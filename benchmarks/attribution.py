"""What attributing an answer to all features on all tokens costs, against one forward pass.

    python -m benchmarks.attribution [--rounds 15] [--json] [--seed 0]

Also how well the linear approximation ranks features, against exact ablation.
"""

from __future__ import annotations

import statistics

import torch

from benchmarks.one_line import in_one_line
from benchmarks.pace import arguments, compared, report
from lmmscope import wiring
from lmmscope.settings import load_settings
from sae_core.attribution.exact import agreement
from sae_core.attribution.linear import ask, attribute
from sae_core.lmm.adapter import Prompt

PICTURES = 8


@in_one_line()
def main() -> None:
    """Print both."""
    given = arguments(__doc__ or "", 15)
    settings = load_settings("toybox")
    adapter, coder = wiring.target(settings), wiring.coder(settings)
    hook = coder.config.hook
    shown = wiring.pictures(settings, settings.data.explore, 4096)
    ranks = {"linear": [], "integrated": []}
    first = None
    for number in range(given.seed * PICTURES, (given.seed + 1) * PICTURES):
        prompt = Prompt((shown.picture(number),), "is there a car?")
        question = ask(adapter, coder, hook, adapter.prepare([prompt]), "yes", "no")
        first = first or question
        for name, steps in (("linear", 0), ("integrated", 8)):
            ranks[name].append(agreement(question, attribute(question, steps=steps)).spearman)
    assert first is not None

    def forward() -> None:
        with torch.inference_mode():
            first.differences(first.inputs)  # the one position asked about, as attribute() does

    found = compared(
        "all features, all tokens", forward, lambda: attribute(first),
        rounds=given.rounds, target=4.0,
    )  # fmt: skip
    medians = {name: statistics.median(values) for name, values in ranks.items()}
    report(
        [found], given.json, "attribution against one forward pass",
        rank_correlation_with_exact_ablation=medians,
    )  # fmt: skip


if __name__ == "__main__":
    main()
