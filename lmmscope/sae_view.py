"""How coders and their training look in a terminal.

Knows rich and sae_core's results; it measures by calling sae_core and computes nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from lmmscope.bars import bars
from sae_core.coders.coder import CoderConfig, SparseCoder
from sae_core.formats.store import describe
from sae_core.lmm.adapter import Adapter
from sae_core.lmm.fit import check_fits
from sae_core.training.activations import Conversation, check_positions, tokens_of
from sae_core.training.evaluation import Evaluation, Recovery, evaluate, loss_recovered
from sae_core.training.trainer import Progress as Step

AT_ONCE = 16


class Report(BaseModel):
    """What `lmmscope sae eval` says."""

    activations: Evaluation
    replies: Recovery | None = None
    """None where no conversation has a reply: pictures alone tell nothing of the model's loss."""
    loss_recovered: float | None = None
    monosemanticity: float | None = None
    """The median over features that fire on two pictures or more, by CLIP's embeddings."""


class Facts(BaseModel):
    """What `lmmscope sae info` says."""

    path: Path
    format: str
    config: CoderConfig
    shapes: dict[str, tuple[int, ...]]
    dtype: str
    megabytes: float


def report_of(
    adapter: Adapter,
    coder: SparseCoder,
    hook: str,
    found: Sequence[Conversation],
    positions: str,
) -> Report:
    """Measure a coder on some conversations."""
    read = check_positions(positions)
    check_fits(adapter, coder, hook)
    batches = (
        tokens_of(adapter, found[at : at + AT_ONCE], hook, read)
        for at in range(0, len(found), AT_ONCE)
    )
    report = Report(activations=evaluate(coder, batches))
    if not any(one.reply for one in found):
        return report
    replies = loss_recovered(adapter, coder, hook, found, at_once=AT_ONCE)
    return report.model_copy(update={"replies": replies, "loss_recovered": replies.recovered})


def show_report(report: Report) -> None:
    """The evaluation as a table."""
    a, r = report.activations, report.replies
    rows = [
        ("positions read", f"{a.rows:,}"),
        ("FVU", f"{a.fvu:.4f}"),
        ("explained variance", f"{a.explained_variance:.4f}"),
        ("L0", f"{a.l0:.1f}"),
        ("dead", f"{a.dead:.1%}"),
        *_loss(r),
        ("densities", f"1e-7 {bars(a.densities)} 1"),
    ]
    if report.monosemanticity is not None:
        rows.append(("monosemanticity", f"{report.monosemanticity:.4f}   (median, CLIP)"))
    _table(rows)


def _loss(replies: Recovery | None) -> list[tuple[str, str]]:
    if replies is None:
        return [("loss recovered", "not measured: no conversation has a reply")]
    r = replies
    return [
        ("loss recovered", f"{r.recovered:.4f}   ({r.tokens:,} reply tokens)"),
        ("loss", f"{r.clean:.4f} clean, {r.reconstructed:.4f} through it, {r.zeroed:.4f} zeroed"),
    ]


def facts_of(path: Path) -> Facts:
    """What a stored coder is."""
    found = describe(path)
    return Facts(
        path=found.file,
        format=found.format,
        config=found.config,
        shapes=found.shapes,
        dtype=found.dtype,
        megabytes=found.size / 1e6,
    )


def show_facts(facts: Facts) -> None:
    """A stored coder as a table."""
    config = facts.config
    size = f"{facts.megabytes:.1f} MB, {facts.dtype}"
    rule = f"{config.rule}, k={config.k}" if config.k else config.rule
    rows = [("file", str(facts.path)), ("format", facts.format), ("size", size)]
    rows += [("features", f"{config.features:,} of width {config.width:,}"), ("rule", rule)]
    if config.groups:
        rows.append(("nested", ", ".join(f"{g:,}" for g in config.groups)))
    rows.append(
        ("trained on", " of ".join(filter(None, (config.hook, config.source))) or "unknown")
    )
    rows += [(name, " x ".join(map(str, shape))) for name, shape in facts.shapes.items()]
    _table(rows)


def _table(rows: Sequence[tuple[str, str]]) -> None:
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in rows:
        table.add_row(name, value)
    Console().print(table)


@contextmanager
def training_bar(steps: int, *, shown: bool) -> Generator[Callable[[Step], None]]:
    """A progress bar, where it is to be shown."""
    columns = (
        TextColumn("training"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TextColumn("{task.fields[state]}"),
        TimeRemainingColumn(),
    )
    progress = Progress(*columns, console=Console(stderr=True), disable=not shown)
    task = progress.add_task("", total=steps, state="")

    def report(now: Step) -> None:
        progress.start()  # not before there is something to show: a refusal is one line
        state = (
            f"FVU {now.fvu:.3f} · L0 {now.l0:.1f} · dead {now.dead:.1%} · "
            f"{now.rows_per_second:,.0f} tokens/s"
        )
        progress.update(task, completed=now.step, state=state)

    try:
        yield report
    finally:
        progress.stop()
