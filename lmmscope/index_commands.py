"""`lmmscope index`: build a feature index, look at a feature in it, merge parts.

It prints; everything else is sae_core's, built by the wiring. Heavy packages are imported inside.
"""

from __future__ import annotations

import shutil
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lmmscope.options import Actors, AsJson, Profile, Ray
from sae_core.errors import UserError

if TYPE_CHECKING:
    from lmmscope.settings import Settings

app = typer.Typer(no_args_is_help=True, help="The feature index: which pictures make what fire.")


@app.command()
def build(
    out: Annotated[
        Path | None, typer.Option(help="The folder to write it to; else where runs look for it.")
    ] = None,
    n: Annotated[
        int | None, typer.Option("-n", min=1, help="How many pictures; else the profile's.")
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="toybox:SPLIT or a folder of pictures; else the profile's.")
    ] = None,
    sae: Annotated[str | None, typer.Option(help="A coder's folder; else the profile's.")] = None,
    planted_seed: Annotated[
        int | None, typer.Option(help="Planted toybox features of this seed instead of an SAE.")
    ] = None,
    top: Annotated[
        int, typer.Option(min=5, help="Pictures kept of each feature, by mean and by maximum.")
    ] = 16,
    sample: Annotated[int, typer.Option(min=1, help="Pictures kept of each by chance.")] = 32,
    part: Annotated[
        str | None, typer.Option(help="Only pictures FIRST:END, to be merged with other parts.")
    ] = None,
    ray: Ray = None,
    actors: Actors = None,
    profile: Profile = None,
) -> None:
    """Run all pictures through the model once; goes on where an earlier build was stopped."""
    from lmmscope import wiring
    from lmmscope.alone import alone
    from lmmscope.index_view import counted
    from lmmscope.laboratory import kept_at
    from lmmscope.settings import load_settings
    from sae_core.index.build import build_part, part_files, refuse_finished
    from sae_core.index.levels import FILE, StrongObserver, levels_of, write_levels
    from sae_core.index.lit import build_with_lit
    from sae_core.index.observer import source_of, spec_of

    settings = load_settings(profile)
    wiring.use_threads(settings)
    if out is None and part is not None:
        raise UserError(f"--part {part} is to be merged with others. Try --out FOLDER with it")
    if out is not None:
        refuse_finished(out)
    count = n or (None if data else settings.data.explore_pictures)
    sizes = {"top": top, "sample": sample}
    if ray is not None:
        from lmmscope.ray_index import Wanted, build_now

        span = None if part is None else partial(_span, part)
        seen = _of(settings, data or settings.data.explore, count)
        made = build_now(Wanted(seen, planted_seed, sae, sizes, out, span), ray, actors)
        typer.echo(f"wrote {made.out}: {made.features} features, {made.pictures} pictures")
        return
    shown = wiring.pictures(settings, data or settings.data.explore, count)
    if planted_seed is None:
        # Levels alone may be those of another coder, for which a build was begun and given up.
        begun = out if out is not None and part_files(out) else None
        seeing = wiring.strong(settings, wiring.observer(settings, sae), shown, begun)
    else:
        seeing = wiring.planted(planted_seed)
    spec = spec_of(seeing, shown, levels=levels_of(seeing), **sizes)
    making: AbstractContextManager[None] = nullcontext()
    if out is None:
        out = kept_at(settings, spec, "explore")
        making = alone(out, settings.runs)  # a run may want the same now
    span = range(len(shown)) if part is None else _span(part, len(shown))
    with making, counted(source_of(seeing, shown, settings.batch), span) as source:
        refuse_finished(out)
        if isinstance(seeing, StrongObserver):
            write_levels(seeing.levels, out / FILE)
        if part is None:
            build_with_lit(out, spec, source, wiring.device())
        else:
            build_part(out, spec, source, span, device=wiring.device())
    typer.echo(f"wrote {out}: {spec.features} features, {len(span)} pictures")


@app.command()
def show(
    feature: Annotated[int, typer.Argument(help="Which feature.")],
    index: Annotated[Path | None, typer.Option(help="The index; else the profile's.")] = None,
    png: Annotated[
        Path | None, typer.Option(help="Also write a sheet of its pictures to this file.")
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="The pictures of the index; else the profile's.")
    ] = None,
    as_json: AsJson = False,
    profile: Profile = None,
) -> None:
    """Show what an index knows of one feature."""
    from lmmscope import wiring
    from lmmscope.index_view import as_json as json_of
    from lmmscope.index_view import show_record, write_sheet
    from lmmscope.settings import load_settings

    settings = load_settings(profile)
    found = wiring.index(settings, index)
    record = found.feature(feature)
    level = _level(index or wiring.model_folder(settings.data.index or ""), feature)
    typer.echo(json_of(record, level)) if as_json else show_record(record, level)
    if png is not None:
        shown = wiring.pictures(settings, data or settings.data.explore, found.spec.size)
        if shown.digest != found.spec.pictures:
            raise UserError(
                f"The index was built from pictures {found.spec.pictures[:12]}, these are "
                f"{shown.digest[:12]}. Try --data with the set that it was built from"
            )
        typer.echo(f"wrote {write_sheet(record, shown, png)}", err=as_json)


@app.command()
def merge(
    out: Annotated[Path, typer.Argument(help="The folder to write the index to.")],
    parts: Annotated[list[Path], typer.Argument(help="Folders with parts of it.")],
) -> None:
    """Merge parts that were built apart; the result equals one build."""
    from lmmscope import wiring
    from sae_core.index.build import merge_index
    from sae_core.index.levels import FILE

    merge_index(out, parts, wiring.device())
    if (parts[0] / FILE).exists():
        shutil.copyfile(parts[0] / FILE, out / FILE)
    typer.echo(f"wrote {out}")


def _of(settings: Settings, pictures: str | None, count: int | None) -> Settings:
    """The profile with these pictures alone, and levels that are those of the index to be built."""
    other = {"explore": pictures, "explore_pictures": count}
    none = dict.fromkeys(("validation", "test", "index", "test_index"))
    data = settings.data.model_copy(update={**other, **none})
    return settings.model_copy(update={"data": data})


def _level(folder: Path, feature: int) -> float:
    """From where on a feature counts as firing in this index."""
    from sae_core.index.levels import FILE, read_levels

    known = (folder / FILE).exists()
    return float(read_levels(folder / FILE).level_F[feature]) if known else 0.0


def _span(text: str, count: int) -> range:
    first, _, end = text.partition(":")
    if not (first.isdigit() and end.isdigit() and int(first) < int(end) <= count):
        raise UserError(f"--part {text!r}: give FIRST:END within 0:{count}, for example 0:{count}.")
    return range(int(first), int(end))
