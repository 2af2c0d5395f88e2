"""A lab around a tiny random model with a random coder, for tools that write or differentiate."""

from functools import cache

import torch

from sae_core.coders.coder import CoderConfig, SparseCoder
from sae_core.index.build import build_index
from sae_core.index.observer import LmmObserver, source_of, spec_of
from sae_core.index.query import Index
from sae_core.lmm.adapter import Prompt, adapter_for
from sae_core.training.activations import Conversation
from tests.sae_core.small_models import BUILDERS, WIDTH, noise
from tools.failures import WontWork
from tools.lab import Lab, Makers

HOOK, FEATURES = "layers.1", 40


@cache
def adapter():
    return adapter_for(*BUILDERS["llava-next"]())


def coder_of(seed=0, width=WIDTH, hook=HOOK):
    torch.manual_seed(seed)
    coder = SparseCoder(CoderConfig(width=width, features=FEATURES, k=6, hook=hook))
    with torch.no_grad():
        coder.b_dec.normal_(std=0.01)
        coder.b_enc.uniform_(0, 0.01)
    return coder.eval()


class Noise:
    """Some random pictures."""

    digest = "noise"

    def __len__(self):
        return 8

    def picture(self, number):
        return noise(24, 24, number)


def small_lab(runs, judge=None, seed=0, questions=None):
    """The lab; without a judge, asking one fails."""

    def nobody():
        raise WontWork("This lab has nobody to ask")

    def index(_split):
        seeing, pictures, folder = made.observer, Noise(), runs / "index"
        build_index(folder, spec_of(seeing, pictures), source_of(seeing, pictures))
        return Index.open(folder)

    def lessons():
        return [Conversation(Prompt((noise(24, 24, n),), "what is this"), "yes") for n in range(6)]

    makers = Makers(
        observer=lambda: LmmObserver(adapter(), coder_of(seed), HOOK, "small"),
        index=index,
        explainer=nobody,
        judge=nobody if judge is None else lambda: judge,
        grounder=nobody,
        clip=nobody,
        target=adapter,
        lessons=lessons,
    )
    made = Lab(makers, {"explore": Noise()}, runs, questions=questions)
    return made
