"""The files that a training goes on from: one, or one for each process that holds some features.

Knows what a state is made of; nothing of steps. What goes by features is put together, or cut, as
whoever reads it needs: so it does not matter how many processes wrote it, or how they shared.

    training.pt                 all of it, or all but tensors and the names of the parts
    training-7-0-of-2.pt        the part of process 0 of 2 at step 7, a state of some features
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sae_core.coders.coder import CoderConfig, SparseCoder
from sae_core.errors import UserError
from sae_core.processes import processes, rank, waited

Checkpoint = dict[str, Any]
Join = Callable[[Sequence[Tensor]], Tensor]
WHOLE = "b_dec"
"""The one weight that every part has: all others go by features."""
TENSORS = ("coder", "optimiser", "silent")


def read_checkpoint(path: Path) -> Checkpoint:
    """A file's content, tensors as they are needed; only they and plain values are accepted."""
    try:
        return torch.load(path, weights_only=True, map_location="cpu", mmap=True)
    except (RuntimeError, EOFError, OSError, ValueError, pickle.UnpicklingError) as error:
        raise UserError(
            f"The checkpoint {path} can't be read ({error.__class__.__name__}): "
            "delete it to start again."
        ) from error


def state_in(path: Path, first: int = 0, count: int | None = None) -> Checkpoint:
    """The state in a checkpoint, of some features or of all."""
    state = read_checkpoint(path)
    parts = [read_checkpoint(path.with_name(name)) for name in state.pop("parts", [])]
    end = state["coder_config"]["features"] if count is None else first + count
    return state | _joined(parts or [state], lambda tensors: _rows(tensors, first, end))


def coder_in(path: Path) -> SparseCoder:
    """The whole coder in a checkpoint, however many processes trained it."""
    state = read_checkpoint(path)
    parts = [read_checkpoint(path.with_name(name)) for name in state.get("parts", [])]
    config = CoderConfig(**state["coder_config"])
    weights = _weights(parts or [state], lambda tensors: _rows(tensors, 0, config.features))
    return SparseCoder(config, weights).eval()


def write_whole(path: Path, state: Checkpoint) -> None:
    """Every process has the same state: the first one writes it."""
    if rank() == 0:
        _write(path, state)
        _clear(path, ())


def write_parts(path: Path, state: Checkpoint) -> None:
    """Every process writes its features; the last word is the file that names them all."""
    step, of = state["step"], processes()
    names = [f"{path.stem}-{step}-{number}-of-{of}{path.suffix}" for number in range(of)]
    _write(path.with_name(names[rank()]), {name: state[name] for name in TENSORS})
    waited()
    if rank() == 0:
        plain = {name: value for name, value in state.items() if name not in TENSORS}
        _write(path, plain | {"parts": names})
        _clear(path, names)


def _write(path: Path, content: Checkpoint) -> None:
    """Beside its place, then there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.save(content, partial)
    partial.replace(path)


def _clear(path: Path, names: Sequence[str]) -> None:
    """Delete the parts of earlier steps."""
    for part in path.parent.glob(f"{path.stem}-*-of-*"):
        if part.name not in names:
            part.unlink()


def _joined(parts: Sequence[Checkpoint], join: Join) -> Checkpoint:
    optimisers = [part["optimiser"] for part in parts]
    numbers = dict(enumerate(parts[0]["coder"]))
    moments = {
        number: {
            key: _one(numbers[number], [o["state"][number][key] for o in optimisers], join)
            for key in kept
        }
        for number, kept in optimisers[0]["state"].items()
    }
    return {
        "coder": _weights(parts, join),
        "optimiser": optimisers[0] | {"state": moments},
        "silent": join([part["silent"] for part in parts]),
    }


def _weights(parts: Sequence[Checkpoint], join: Join) -> dict[str, Tensor]:
    coders = [part["coder"] for part in parts]
    return {name: _one(name, [coder[name] for coder in coders], join) for name in coders[0]}


def _one(name: str, tensors: Sequence[Tensor], join: Join) -> Tensor:
    """A tensor of that name from its parts; a copy, not what the file holds."""
    by_feature = name != WHOLE and tensors[0].ndim > 0  # Adam counts its steps, too
    return join(tensors) if by_feature else tensors[0].clone()


def _rows(tensors: Sequence[Tensor], first: int, end: int) -> Tensor:
    """Some rows of tensors that lie one behind the other."""
    some, at = [], 0
    for tensor in tensors:
        some.append(tensor[max(0, first - at) : max(0, end - at)])
        at += len(tensor)
    return torch.cat(some)
