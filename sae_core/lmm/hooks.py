"""Reads and rewrites what a block of the language model puts out.

Several threads may look into one model at once: a hook acts in the thread that hung it up, and
leaves what passes in other threads alone.

Knows blocks whose output is a Tensor, or a tuple that begins with one; nothing of coders.

Shapes: B rows of a batch, T positions, D width.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from threading import get_ident
from typing import Any

import torch
from torch import Tensor, nn

from sae_core.coders.coder import check_finite
from sae_core.lmm.adapter import Adapter, Inputs
from sae_core.lmm.layout import PAD


class _Stop(Exception):
    """Ends a forward pass once the hooked block has run."""


def _hidden(output: Any) -> Tensor:
    return output[0] if isinstance(output, tuple) else output


def own(hook: Callable[..., Any]) -> Callable[..., Any]:
    """The hook for this thread's passes alone."""
    mine = get_ident()

    def called(*given: Any) -> Any:
        return hook(*given) if get_ident() == mine else None

    return called


def harvest(adapter: Adapter, inputs: Inputs, hook: str, *, grad: bool = False) -> Tensor:
    """What the hooked block puts out [B, T, D]; later blocks do not run."""
    seen: list[Tensor] = []

    def stop(_block: nn.Module, _args: Any, output: Any) -> None:
        seen.append(_hidden(output))
        raise _Stop

    handle = adapter.block(hook).register_forward_hook(own(stop))
    try:
        with torch.set_grad_enabled(grad), suppress(_Stop):
            adapter.model(**inputs.tensors, use_cache=False)
    finally:
        handle.remove()
    (x_BTD,) = seen
    # A position of padding may attend to nothing at all, and is nobody's business.
    kept_BT = torch.stack([layout.kind_T for layout in inputs.layouts]) != PAD
    check_finite(x_BTD[kept_BT.to(x_BTD.device)], hook)
    return x_BTD


@contextmanager
def rewritten(block: nn.Module, change: Callable[[Tensor], Tensor]) -> Generator[None]:
    """Inside, the block puts out what `change` makes of its output. The inner of two comes last."""

    def replace(_block: nn.Module, _args: Any, output: Any) -> Any:
        changed = change(_hidden(output))
        return (changed, *output[1:]) if isinstance(output, tuple) else changed

    handle = block.register_forward_hook(own(replace))
    try:
        yield
    finally:
        handle.remove()
