"""Several processes that train together, as torchrun starts them; alone, nothing is set up.

Knows the variables that torchrun sets.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import distributed as dist


class Together(NamedTuple):
    """Where this process computes, and how many there are."""

    device: torch.device
    share: int
    first: bool
    """Whether this is the one that writes and shows."""


@contextmanager
def together() -> Generator[Together]:
    """Join the other processes, if there are any, and leave them at the end."""
    share, local = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("LOCAL_RANK", 0))
    cuda = torch.cuda.is_available()
    device = torch.device(f"cuda:{local}" if cuda else "cpu")
    if cuda:
        torch.cuda.set_device(device)
    if share > 1:
        dist.init_process_group("cpu:gloo,cuda:nccl" if cuda else "gloo")
    try:
        yield Together(device, share, int(os.environ.get("RANK", 0)) == 0)
    finally:
        if share > 1:
            dist.destroy_process_group()
