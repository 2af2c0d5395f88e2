"""Activations to train a coder on: streamed from a model at a hook, shuffled through a buffer.

Knows adapters, conversations and positions; nothing of coders. A block of conversations is run
through the model, its tokens are shuffled, and batches are dealt from it; only one block is held.
The order is fixed by the seed, so a resumed stream runs one block again and goes on. Of several
processes each runs its share of a block; another number of them gets the same blocks, and as many
rows a step, but deals the rows of a block otherwise.

Shapes: B rows of a forward pass, T positions, N tokens, D width.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from sae_core.errors import UserError
from sae_core.lmm.adapter import Adapter, Prompt
from sae_core.lmm.hooks import harvest
from sae_core.lmm.layout import BASE, TEXT, TILE
from sae_core.processes import least, processes, rank
from sae_core.training.trainer import State

Positions = Literal["all", "image", "base", "text"]
KINDS: dict[Positions, tuple[int, ...]] = {
    "all": (TEXT, BASE, TILE),
    "image": (BASE, TILE),
    "base": (BASE,),
    "text": (TEXT,),
}


def check_positions(name: str) -> Positions:
    """The kind of positions that a name stands for."""
    for known in KINDS:
        if name == known:
            return known
    raise UserError(f"No positions {name!r}. Known: {', '.join(KINDS)}. Choose one")


class Conversation(NamedTuple):
    """One user turn with its pictures, and what is replied, if anything."""

    prompt: Prompt
    reply: str = ""


class Broken(UserError):
    """A conversation whose picture can't be opened: the others can be learnt from all the same."""


def order(count: int, seed: int, epoch: int) -> Tensor:
    """The order of an epoch."""
    generator = torch.Generator().manual_seed((seed << 20) + epoch)
    return torch.randperm(count, generator=generator)


def tokens_of(
    adapter: Adapter, conversations: Sequence[Conversation], hook: str, positions: Positions
) -> Tensor:
    """The activations at the wanted positions of some conversations [N, D]."""
    inputs = adapter.prepare(
        [c.prompt for c in conversations], replies=[c.reply for c in conversations]
    )
    x_BTD = harvest(adapter, inputs, hook)
    kept = [
        x_TD[layout.where(*KINDS[positions])]
        for x_TD, layout in zip(x_BTD, inputs.layouts, strict=True)
    ]
    return torch.cat(kept)


def check_same(mine: State, saved: State) -> None:
    """Refuse to go on with other data or settings: the order would silently be another."""
    for name, value in mine.items():
        if saved.get(name) != value:
            raise UserError(
                f"This training was begun with {name}={saved.get(name)}, now it is {value}. "
                "Give the same data and settings, or write to another folder"
            )


class TokenStream:
    """Batches for a Trainer, endless: each epoch another order."""

    def __init__(
        self,
        adapter: Adapter,
        conversations: Sequence[Conversation],
        hook: str,
        rows: int,
        *,
        block: int = 512,
        at_once: int = 16,
        positions: Positions = "all",
        seed: int = 0,
    ) -> None:
        if not len(conversations):
            raise UserError("No conversations to train on: the data set is empty.")
        adapter.block(hook)
        self.adapter, self.conversations, self.hook = adapter, conversations, hook
        self.rows, self.at_once, self.positions, self.seed = rows, at_once, positions, seed
        self.share, self.rank = processes(), rank()
        self.block_size = max(block, self.share)
        self.block, self.given = 0, 0
        self.left_out: dict[int, str] = {}
        """The conversations that this process could not show, and why."""
        self._tokens_ND: Tensor | None = None
        self._deals = 0

    def take(self) -> Tensor:
        """The next rows."""
        if self._tokens_ND is None:
            self._fill()
        if self.given >= self._deals:
            self.block, self.given = self.block + 1, 0
            self._fill()
        assert self._tokens_ND is not None
        at = self.given * self.rows
        self.given += 1
        return self._tokens_ND[at : at + self.rows]

    def state(self) -> State:
        """Which block, how many batches of it were given, and what both depend on."""
        return self._settings() | {"block": self.block, "given": self.given}

    def restore(self, state: State) -> None:
        """Go on from there; the block is run again when it is needed."""
        check_same(self._settings(), state)
        self.block, self.given = int(state["block"]), int(state["given"])
        self._tokens_ND = None

    def _settings(self) -> State:
        return {
            "conversations": len(self.conversations), "hook": self.hook,
            "rows": self.rows * self.share, "block_size": self.block_size,
            "positions": self.positions, "seed": self.seed,
        }  # fmt: skip

    def _numbers(self) -> list[int]:
        """The conversations of this block that are this process's."""
        count = len(self.conversations)
        first = self.block * self.block_size
        places = range(first + self.rank, first + self.block_size, self.share)
        orders = {e: order(count, self.seed, e) for e in {place // count for place in places}}
        return [int(orders[place // count][place % count]) for place in places]

    def _fill(self) -> None:
        self._tokens_ND = None  # two blocks at once would be one too many
        numbers = self._numbers()
        parts = []
        for at in range(0, len(numbers), self.at_once):
            if some := list(self._readable(numbers[at : at + self.at_once])):
                parts.append(tokens_of(self.adapter, some, self.hook, self.positions).cpu())
        if not parts:
            raise UserError(next(iter(self.left_out.values())))
        tokens_ND = torch.cat(parts)
        del parts
        generator = torch.Generator().manual_seed((self.seed << 20) + self.block)
        self._tokens_ND = tokens_ND[torch.randperm(len(tokens_ND), generator=generator)]
        self._deals = int(least(torch.tensor(len(tokens_ND) // self.rows)))
        if self._deals == 0:
            raise UserError(
                f"A block of {self.block_size} conversations has {len(tokens_ND)} tokens, "
                f"fewer than one batch of {self.rows}. Try a larger block or a smaller batch."
            )

    def _readable(self, numbers: Sequence[int]) -> Iterator[Conversation]:
        """Those that are whole: one broken picture must not end a training of days."""
        for number in numbers:
            try:
                yield self.conversations[number]
            except Broken as error:
                self.left_out[number] = str(error)


class TensorStream:
    """Batches dealt from activations that are already there, each epoch another order."""

    def __init__(self, x_ND: Tensor, rows: int, seed: int = 0) -> None:
        self.share, self.rank = processes(), rank()
        self.x_ND, self.rows, self.seed, self.step = x_ND, rows, seed, 0
        self.deals = len(x_ND) // (rows * self.share)
        if self.deals == 0:
            raise UserError(f"{len(x_ND)} rows of activations are fewer than a batch of {rows}.")

    def take(self) -> Tensor:
        """The next rows."""
        epoch, deal = divmod(self.step, self.deals)
        self.step += 1
        at = (deal * self.share + self.rank) * self.rows
        return self.x_ND[order(len(self.x_ND), self.seed, epoch)[at : at + self.rows]]

    def state(self) -> State:
        """How many batches were given, and of what."""
        return self._settings() | {"step": self.step}

    def restore(self, state: State) -> None:
        """Go on from there."""
        check_same(self._settings(), state)
        self.step = int(state["step"])

    def _settings(self) -> State:
        return {
            "all_rows": len(self.x_ND), "rows": self.rows * self.share, "seed": self.seed,
        }  # fmt: skip
