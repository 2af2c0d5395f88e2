"""`lmmscope sae`: train a sparse coder, measure it, and move it between formats.

It prints; everything else is sae_core's, built by the wiring. Heavy packages are imported inside.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lmmscope.options import AsJson, Profile
from sae_core.errors import UserError

if TYPE_CHECKING:
    from sae_core.training.trainer import Trainer

app = typer.Typer(no_args_is_help=True, help="Sparse autoencoders: train, measure, convert.")

Data = Annotated[
    str | None,
    typer.Option(help="toybox:SPLIT, a .jsonl file in chat format, or a folder of pictures."),
]
HELD_OUT = 512
"""Conversations that an evaluation reads where nothing else is said."""
CHECKPOINT = "training.pt"
"""In a coder's folder, what a training goes on from."""


@app.command()
def train(
    out: Annotated[Path, typer.Option(help="The folder to write the coder to.")],
    steps: Annotated[int, typer.Option(min=1, help="Optimiser steps.")] = 3000,
    features: Annotated[int, typer.Option(min=1, help="How many features.")] = 2048,
    k: Annotated[int, typer.Option(min=1, help="How many fire at a position.")] = 32,
    rule: Annotated[str, typer.Option(help="topk, batchtopk or jumprelu.")] = "topk",
    groups: Annotated[
        str, typer.Option(help="Matryoshka: sizes of nested dictionaries, for example 256,2048.")
    ] = "",
    batch: Annotated[int, typer.Option(min=1, help="Positions of one step.")] = 1024,
    rate: Annotated[float | None, typer.Option(help="Learning rate; by size if left out.")] = None,
    warmup: Annotated[int, typer.Option(min=0, help="Steps in which the rate rises.")] = 100,
    decay: Annotated[
        float, typer.Option(min=0, max=1, help="Last share of the steps, in which it falls.")
    ] = 0.2,
    dead_after: Annotated[
        int, typer.Option(min=1, help="Positions without firing until a feature counts as dead.")
    ] = 200_000,
    accumulate: Annotated[int, typer.Option(min=1, help="Parts that a step is done in.")] = 1,
    block: Annotated[
        int, typer.Option(min=1, help="Conversations whose positions are shuffled together.")
    ] = 512,
    positions: Annotated[str, typer.Option(help="all, image, base or text.")] = "all",
    hook: Annotated[
        str | None, typer.Option(help="For example layers.3; else the profile's.")
    ] = None,
    data: Data = None,
    shard: Annotated[
        Literal["data", "features"],
        typer.Option(help="What several processes share: rows, or a coder that fits on none."),
    ] = "data",
    seed: Annotated[int, typer.Option(help="Of weights and order.")] = 0,
    profile: Profile = None,
) -> None:
    """Train a coder on the target's activations; goes on where an earlier run was stopped.

    On several GPUs or machines: torchrun --nproc-per-node=8 -m lmmscope sae train ... With
    --shard features each holds only its part of the coder.
    """
    from lmmscope import wiring
    from lmmscope.processes import together
    from lmmscope.sae_view import training_bar
    from lmmscope.settings import load_settings
    from sae_core.coders.coder import coder_config
    from sae_core.formats.store import save_coder
    from sae_core.training.activations import TokenStream, check_positions
    from sae_core.training.checkpoint import coder_in
    from sae_core.training.sharding import sharding_of
    from sae_core.training.trainer import TrainConfig, Trainer

    settings, read = load_settings(profile), check_positions(positions)
    hook = hook or settings.data.hook
    wiring.use_threads(settings)
    _refuse_finished(out)
    with together() as (device, share, first):
        adapter = wiring.target(settings)
        adapter.model.to(device)
        config = coder_config(
            width=adapter.width(), features=features, k=k, rule=rule,
            groups=tuple(_sizes(groups)), hook=hook, source=settings.models.target,
        )  # fmt: skip
        plan = TrainConfig(
            steps=steps, batch=batch, rate=rate, accumulate=accumulate, seed=seed,
            warmup=warmup, decay=decay, dead_after=dead_after,
        )  # fmt: skip
        rows = _rows_each(batch, share, accumulate)
        found = wiring.conversations(settings, data or settings.data.train)
        stream = TokenStream(adapter, found, hook, rows, block=block, positions=read, seed=seed)
        with training_bar(steps, shown=first) as report:
            trainer = Trainer(config, plan, sharding_of(shard)).to(device)
            if first and share > 1:
                typer.echo(_held(trainer, share), err=True)
            trainer.run(stream, out / CHECKPOINT, report=report)
        if first and stream.left_out:
            named = "; ".join(list(stream.left_out.values())[:3])
            typer.echo(f"{len(stream.left_out):,} conversations left out: {named}", err=True)
        if first:
            typer.echo(f"wrote {save_coder(coder_in(out / CHECKPOINT), out, replace=True)}")


@app.command("eval")
def evaluate(
    sae: Annotated[str | None, typer.Argument(help="A coder's folder; else the profile's.")] = None,
    n: Annotated[int, typer.Option("-n", min=2, help="Conversations to read.")] = HELD_OUT,
    data: Data = None,
    positions: Annotated[str, typer.Option(help="all, image, base or text.")] = "all",
    pictures: Annotated[
        int, typer.Option(min=0, help="Pictures for the monosemanticity score; 0 leaves it out.")
    ] = 0,
    as_json: AsJson = False,
    profile: Profile = None,
) -> None:
    """Measure a coder on conversations that it was not trained on."""
    from lmmscope import wiring
    from lmmscope.sae_view import report_of, show_report
    from lmmscope.settings import load_settings
    from sae_core.index.observer import LmmObserver, monosemanticity

    settings = load_settings(profile)
    wiring.use_threads(settings)
    adapter = wiring.target(settings)
    coder = wiring.coder(settings, sae).to(adapter.model.device)
    found = wiring.conversations(settings, data or settings.data.explore, n)
    hook = coder.config.hook or settings.data.hook
    report = report_of(adapter, coder, hook, found, positions)
    if pictures:
        seeing = LmmObserver(adapter, coder, hook, wiring.target_name(settings))
        shown = wiring.pictures(settings, data or settings.data.explore, pictures)
        scores = monosemanticity(seeing, shown, wiring.embedder(settings))
        report = report.model_copy(update={"monosemanticity": float(scores.nanmedian())})
    typer.echo(report.model_dump_json(indent=2)) if as_json else show_report(report)


@app.command("import")
def import_(
    source: Annotated[Path, typer.Argument(help="A coder's file or folder, in any known format.")],
    out: Annotated[Path, typer.Argument(help="The folder to write it to.")],
) -> None:
    """Convert a coder of another library into our own format."""
    from sae_core.formats.store import convert

    typer.echo(f"wrote {convert(source, out)}")


@app.command()
def export(
    out: Annotated[Path, typer.Argument(help="The folder to write it to.")],
    to: Annotated[
        str, typer.Option("--format", help="sparsify, saelens, dictionary_learning or openai.")
    ],
    sae: Annotated[str | None, typer.Option(help="A coder's folder; else the profile's.")] = None,
    profile: Profile = None,
) -> None:
    """Convert a coder into another library's format."""
    from lmmscope import wiring
    from lmmscope.settings import load_settings
    from sae_core.formats.store import save_coder

    coder = wiring.coder(load_settings(profile), sae)
    typer.echo(f"wrote {save_coder(coder, out, to)}")


@app.command()
def info(
    sae: Annotated[str | None, typer.Argument(help="A coder's folder; else the profile's.")] = None,
    as_json: AsJson = False,
    profile: Profile = None,
) -> None:
    """Say what a coder is, without loading its weights."""
    from lmmscope import wiring
    from lmmscope.sae_view import facts_of, show_facts
    from lmmscope.settings import load_settings

    name = sae or load_settings(profile).models.sae
    if name is None:
        raise UserError("This profile names no SAE. Try lmmscope sae info FOLDER")
    facts = facts_of(wiring.model_folder(name))
    typer.echo(facts.model_dump_json(indent=2)) if as_json else show_facts(facts)


def _refuse_finished(out: Path) -> None:
    """A coder that came from elsewhere is not overwritten."""
    from sae_core.formats.store import stored_in

    if not (out / CHECKPOINT).exists() and (there := stored_in(out)):
        raise UserError(f"{out} already holds the coder {there.name}. Try another --out")


def _held(trainer: Trainer, share: int) -> str:
    """What each of several processes has to have room for, beside the target."""
    there = f"{trainer.coder.features} of {trainer.coder_config.features} features"
    return (
        f"each of {share} processes holds {there}: {trainer.bytes_held() / 1e9:.3g} GB of weights, "
        "gradients and Adam's moments"
    )


def _rows_each(batch: int, share: int, accumulate: int) -> int:
    """How many positions of a step are one process's."""
    parts = accumulate * share
    if batch % parts:
        raise UserError(
            f"--batch {batch} can't be shared by {share} processes in {accumulate} parts. "
            f"Try --batch {parts * max(1, batch // parts)}"
        )
    return batch // share


def _sizes(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise UserError(
            f"--groups {text!r}: give numbers with commas, for example 256,2048."
        ) from None
