"""How the toybox's pictures look to its CLIP: worked out once, shipped, so that nobody has to wait.

    python -m toybox.looks

Knows which pictures an agent starts from; `tools.panel` knows how looks are kept.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any, NoReturn

from tools import panel
from tools.backends.clip import Clip
from tools.evidence import Split
from tools.failures import WontWork
from tools.lab import Lab, Makers
from toybox.conversations import ToyboxPictures
from toybox.models import WEIGHTS
from toybox.train_sae import INDEXED, SEALED

SIZES: dict[Split, int] = {"explore": INDEXED, "test": SEALED}


def _nobody(*_: Any) -> NoReturn:
    raise WontWork("Looks need nothing but CLIP")


def main() -> None:
    """Replace what is shipped."""
    shown = {split: ToyboxPictures(split, size) for split, size in SIZES.items()}
    others = dict.fromkeys(("observer", "index", "explainer", "judge", "grounder"), _nobody)
    makers = Makers(**others, clip=lambda: Clip.load(WEIGHTS / "clip"))
    with tempfile.TemporaryDirectory() as room:
        lab = Lab(makers, shown, Path(room)).opening("test")
        for split in SIZES:
            panel.looks(lab, split)
        shutil.rmtree(WEIGHTS / "looks", ignore_errors=True)
        shutil.copytree(Path(room) / "looks", WEIGHTS / "looks", copy_function=shutil.copyfile)


if __name__ == "__main__":
    main()
