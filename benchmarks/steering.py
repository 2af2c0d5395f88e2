"""What a steering hook costs while the model generates, against no hook at all.

    python -m benchmarks.steering [--rounds 15] [--json] [--seed 0]

The same prompt and the same number of tokens, in turns. A feature costs the more, the more often it
fires, since its value under TopK depends on all others. So three kinds are measured: idle ones fire
nowhere in the prompt, usual ones are in the middle of those that fire, busy ones fire at the most
positions.
"""

from __future__ import annotations

from typing import Any, cast

import torch

from benchmarks.one_line import in_one_line
from benchmarks.pace import Compared, arguments, compared, report
from lmmscope import wiring
from lmmscope.settings import load_settings
from sae_core.coders.coder import SparseCoder
from sae_core.lmm.adapter import Adapter, Inputs, Prompt
from sae_core.lmm.hooks import harvest
from sae_core.steering.hook import steering
from sae_core.steering.logits import repeated
from sae_core.steering.plan import Intervention, Row

TOKENS = 24


def measure(rounds: int, seed: int) -> list[Compared]:
    """The cost for one row and for a batch of eight."""
    settings = load_settings("toybox")
    adapter, coder = wiring.target(settings), wiring.coder(settings)
    shown = wiring.pictures(settings, settings.data.explore, 64)
    inputs = adapter.prepare([Prompt((shown.picture(seed % 64),), "describe the picture.")])
    counts_F = _counts(adapter, coder, inputs)
    order = counts_F.argsort(descending=True, stable=True).tolist()
    middle = int(counts_F.count_nonzero()) // 2
    starts = {"idle": len(order) - 8, "usual": middle, "busy": 0}
    return [
        _compared(adapter, coder, inputs, order[start : start + size], kind, rounds)
        for size in (1, 8)
        for kind, start in starts.items()
    ]


def _counts(adapter: Adapter, coder: SparseCoder, inputs: Inputs) -> torch.Tensor:
    """At how many of the prompt's positions each feature fires."""
    with torch.inference_mode():
        code = coder.encode(harvest(adapter, inputs, coder.config.hook)[0])
    return torch.bincount(code.indices_NK[code.fired()], minlength=coder.features)


def _compared(
    adapter: Adapter,
    coder: SparseCoder,
    inputs: Inputs,
    features: list[int],
    kind: str,
    rounds: int,
) -> Compared:
    size = len(features)
    many, model = repeated(inputs, size), cast(Any, adapter.model)
    rows = [
        Row((Intervention(feature=feature, kind="clamp", value=0.5 + n / 8),))
        for n, feature in enumerate(features)
    ]

    def plain() -> None:
        with torch.inference_mode():
            model.generate(
                **many.tensors, min_new_tokens=TOKENS, max_new_tokens=TOKENS, do_sample=False
            )

    def steered() -> None:
        with steering(adapter, coder, coder.config.hook, many.layouts, rows):
            plain()

    name = f"{TOKENS} tokens, {size} row{'s' if size > 1 else ''}, {kind}"
    return compared(name, plain, steered, rounds=rounds, target=1.05)


@in_one_line()
def main() -> None:
    """Print the table."""
    given = arguments(__doc__ or "", 15)
    found = measure(given.rounds, given.seed)
    report(found, given.json, "generation with a steering hook")


if __name__ == "__main__":
    main()
