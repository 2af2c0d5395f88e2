"""What a profile says to plan with: published sizes, how servers start, the coder to train.

It knows names and values only, as `lmmscope.settings` does.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, PositiveFloat, PositiveInt


class Part(BaseModel):
    """One table of a profile."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Coder(Part):
    """The sparse coder to train, where none is published."""

    features: PositiveInt
    """How many features."""
    k: PositiveInt
    """How many fire at a position."""
    steps: PositiveInt = 100_000
    """Optimiser steps."""
    batch: PositiveInt = 8192
    """Positions of one step."""


class Serving(Part):
    """How a server that a profile names is started on this machine."""

    engine: Literal["sglang", "vllm", "transformers"]
    """What runs the model."""
    options: tuple[str, ...] = ()
    """The engine's own."""


class Size(Part):
    """What is published about a model, to plan with before it is here."""

    parameters: PositiveFloat
    """How many numbers it has."""
    gigabytes: PositiveFloat
    """How large what has to be downloaded is, in 10^9 bytes."""
    layers: PositiveInt | None = None
    """Of a target: the blocks of its language model."""
    width: PositiveInt | None = None
    """Of a target: how wide their outputs are."""
    inner: PositiveInt | None = None
    """Of a target: how wide their feed-forward layers are."""
    tokens: PositiveInt | None = None
    """Of a target: how many positions a picture takes, at most."""
    cells: PositiveInt | None = None
    """Of a target: how many of these show the whole picture."""
    leave_out: tuple[str, ...] = ()
    """Files of the download that nobody needs: patterns."""


class Amount(Part):
    """What is published about a data set."""

    pictures: PositiveInt
    """How many it has, or how many of it are used."""
    gigabytes: PositiveFloat
    """How large the download is, in 10^9 bytes."""


class Published(Part):
    """What is known of models and data sets from where they are published."""

    models: dict[str, Size] = {}
    """By role."""
    data: dict[str, Amount] = {}
    """By the keys of `data`."""
