"""What 1, 8 and 64 GPUs would do with the paper's models: worked out, since none was there.

Everything that a number rests on is a field of `Assumed`, or was measured on the toybox: how often
a feature asks a model, what an event costs to write, what a finding leaves on disk. The tables of
docs/scale.md are printed from here, and a test holds them equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.simulate.asked import Asked
from benchmarks.simulate.queues import Outcome, Setup, batch
from benchmarks.simulate.recorded import Recorded, measured
from lmmscope.doctor_plan import PEAKS, REACHED
from lmmscope.published import Size
from lmmscope.settings import Settings, load_settings
from sae_core.index.build import SHARD

PROFILE, SMALL = "llava-next-8b", "llava-next-8b-small"
SIMULATED = 10_000
"""So many features are simulated; more of them go on at the same rate."""
GROUNDERS = (0.01, 0.05, 0.2)
"""Seconds of a look, to see how much hangs on what is assumed."""
AT_A_TIME = (16, 32, 64, 128)
TOGETHER = (4, 8, 16)
"""Calls that a replica answers at the same time."""
PICTURES = (46_684, 1_000_000)
"""The paper's, and a million."""


class Assumed(NamedTuple):
    """What is assumed and was not measured."""

    gpu: str = "H100"
    reached: float = REACHED
    """The share of the GPU's published peak that models get out of it."""
    bandwidth: float = 3.35e12
    """Bytes a second of the GPU's memory, as published."""
    gpu_hour: float = 2.5
    """What a GPU costs an hour, in dollars."""
    picture_tokens: int = 729
    """Of a picture that the explainer is shown among others."""
    text_tokens: int = 300
    """Of a prompt to the explainer."""
    reply_tokens: int = 100
    """That it thinks and answers with."""
    grounder_seconds: float = 0.05
    """To look for one concept in one picture."""
    together: int = 8
    """Calls that a replica of the explainer answers at the same time: the profile's concurrency."""
    answers: int = 4
    """Of the target, generated at the same time."""
    description_tokens: int = 64
    """Of a picture that the target describes."""
    merge_seconds: float = 5.0
    """To join a span of the index with what is known, on the one machine that does: 131,072
    features of 64 pictures of ten lit cells each. A sixteenth of it was measured, on one core."""

    @property
    def speed(self) -> float:
        """Operations a second of one GPU."""
        return PEAKS[self.gpu] * 1e12 * self.reached


class Machines(NamedTuple):
    """How GPUs are shared out."""

    gpus: int
    targets: int
    """GPUs that hold a target, a grounder and CLIP each."""
    replicas: int
    """Servers of the explainer,"""
    each: int
    """on so many GPUs each; 0: it shares the target's."""
    workers: int
    """Features investigated at a time: of one process, or one of each worker on a cluster."""
    profile: str


# A server of 72 billion parameters takes four GPUs of 80 GB; a single GPU has the small explainer.
# On a cluster each worker has a GPU and one feature at a time: two targets do not fit on 80 GB.
MACHINES = (
    Machines(1, 1, 1, 0, 8, SMALL),
    Machines(8, 4, 1, 4, 4, PROFILE),
    Machines(64, 32, 8, 4, 32, PROFILE),
)


class Row(NamedTuple):
    """What a number of GPUs would do."""

    machines: Machines
    pictures_a_second: float
    outcome: Outcome
    tokens_a_feature: float
    features: int

    def index_hours(self, pictures: int, assumed: Assumed) -> float:
        """For so many pictures: spans are joined while others are counted, one after the other."""
        counted = pictures / self.pictures_a_second
        joined = pictures / SHARD * assumed.merge_seconds
        return max(counted, joined) / 3600

    @property
    def batch_hours(self) -> float:
        """For all features."""
        return self.features / self.outcome.per_hour

    def money(self, hours: float, assumed: Assumed) -> float:
        """For so many hours of all GPUs."""
        return hours * self.machines.gpus * assumed.gpu_hour


def picture_seconds(settings: Settings, assumed: Assumed) -> float:
    """To look at a picture as far as the hooked layer and to encode it, as the doctor plans it."""
    target, sae = _sizes(settings)
    layers = int(settings.data.hook.rpartition(".")[2]) + 1
    through = 2 * target.parameters * layers / (target.layers or layers) * (target.tokens or 0)
    return (through + sae.parameters * (target.cells or 0)) / assumed.speed


def call_seconds(settings: Settings, one: Asked, assumed: Assumed) -> float:
    """GPU seconds of a call of the explainer, on the mean."""
    known = settings.published.models["explainer"]
    read = 2 * known.parameters * call_tokens(one, assumed) / assumed.speed
    # As for the target: a token written takes all weights from memory, once for all calls at hand.
    written = assumed.reply_tokens * token_seconds(known, assumed) / assumed.together
    return read + written


def token_seconds(known: Size, assumed: Assumed) -> float:
    """GPU seconds in which all weights come from memory: of a token, for one answer or several."""
    return 2 * known.parameters / assumed.bandwidth / assumed.reached


def call_tokens(one: Asked, assumed: Assumed) -> float:
    """Tokens of a call, in and out, on the mean."""
    shown = one.explained * one.shown + one.judged
    pictures = shown / (one.explained + one.judged)
    return pictures * assumed.picture_tokens + assumed.text_tokens + assumed.reply_tokens


def target_seconds(settings: Settings, one: Asked, assumed: Assumed) -> float:
    """GPU seconds of a feature beside the explainer's: looks, descriptions, steering, grounder."""
    target, _ = _sizes(settings)
    prefill = 2 * target.parameters * (target.tokens or 0) / assumed.speed
    token = token_seconds(target, assumed)
    steered = one.steered * (prefill + one.tokens * token / assumed.answers)
    described = one.described * (prefill + assumed.description_tokens * token / assumed.answers)
    looked = one.edited * picture_seconds(settings, assumed)
    return steered + described + looked + one.grounded * assumed.grounder_seconds


def _sizes(settings: Settings) -> tuple[Size, Size]:
    return settings.published.models["target"], settings.published.models["sae"]


def row(machines: Machines, recorded: Recorded, assumed: Assumed) -> Row:
    """What so many GPUs would do."""
    settings, one = load_settings(machines.profile), recorded.asked
    assert settings.coder is not None, f"{machines.profile} says what its coder is"
    call = call_seconds(settings, one, assumed)
    own = target_seconds(settings, one, assumed)
    if machines.each == 0:
        own += call * (one.explained + one.judged)
    # A replica answers several calls at the same time, and each of them that much slower.
    latency = call * assumed.together / max(machines.each, 1)
    setup = Setup(machines.workers, machines.replicas, assumed.together, machines.targets)
    times = recorded.with_means(explainer=latency if machines.each else 1e-6, target=own)
    return Row(
        machines,
        machines.gpus / picture_seconds(settings, assumed),
        batch(times, SIMULATED, setup),
        call_tokens(one, assumed) * (one.explained + one.judged),
        settings.coder.features,
    )


def markdown() -> str:
    """The tables of docs/scale.md."""
    assumed, recorded = Assumed(), measured()
    parts = (
        _asked_lines(recorded),
        _machine_lines(recorded, assumed),
        _grounder_lines(recorded, assumed),
        _together_lines(recorded, assumed),
        _worker_lines(recorded, assumed),
        _disk_lines(recorded),
    )
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _asked_lines(recorded: Recorded) -> list[str]:
    one = recorded.asked
    return _table(
        ["measured: a feature of the toybox's coder", ""],
        [
            ["calls of the explainer, pictures each", f"{one.explained}, {one.shown}"],
            ["calls of the judge, of one picture each", f"{one.judged}"],
            ["pictures described by the target", f"{one.described}"],
            ["looks of the grounder: a concept in a picture", f"{one.grounded:.0f}"],
            ["answers while steering, tokens each", f"{one.steered}, {one.tokens:.0f}"],
            ["edited or covered pictures", f"{one.edited}"],
            ["one writer", f"{recorded.mean('writer') * 1000:.0f} ms"],
            ["on disk", f"{recorded.database_megabytes + recorded.artefact_megabytes:.2f} MB"],
        ],
    )


def _machine_lines(recorded: Recorded, assumed: Assumed) -> list[str]:
    some = [row(machines, recorded, assumed) for machines in MACHINES]
    return _table(
        [
            "worked out",
            *(f"{one.machines.gpus} GPU{'s' * (one.machines.gpus > 1)}" for one in some),
        ],
        [
            ["target, grounder, CLIP on", *(f"{one.machines.targets}" for one in some)],
            ["the explainer on", *(_explainer(one.machines) for one in some)],
            ["features at a time", *(f"{one.machines.workers}" for one in some)],
            ["index: pictures/s counted", *(f"{one.pictures_a_second:,.0f}" for one in some)],
            *(_index_line(some, pictures, assumed) for pictures in PICTURES),
            ["batch: features/h", *(f"{one.outcome.per_hour:,.0f}" for one in some)],
            [f"{some[0].features:,} features", *(_lasting(one.batch_hours) for one in some)],
            ["money", *(f"${one.money(one.batch_hours, assumed):,.0f}" for one in some)],
            ["everybody waits for", *(one.outcome.bottleneck for one in some)],
            ["its tokens, in 10^9", *(_tokens(one) for one in some)],
        ],
    )


def _grounder_lines(recorded: Recorded, assumed: Assumed) -> list[str]:
    """The assumption that matters most, and what others in its place would do."""
    most = MACHINES[-1]
    some = [row(most, recorded, assumed._replace(grounder_seconds=one)) for one in GROUNDERS]
    return _table(
        [f"{most.gpus} GPUs, if a look of the grounder takes", *(f"{s:g} s" for s in GROUNDERS)],
        [
            ["features/h", *(f"{one.outcome.per_hour:,.0f}" for one in some)],
            ["everybody waits for", *(one.outcome.bottleneck for one in some)],
        ],
    )


def _together_lines(recorded: Recorded, assumed: Assumed) -> list[str]:
    """How much hangs on what a replica's server is sent at a time."""
    most = MACHINES[-1]
    some = [row(most, recorded, assumed._replace(together=one)) for one in TOGETHER]
    return _table(
        [f"{most.gpus} GPUs, if a replica answers at the same time", *map(str, TOGETHER)],
        [
            ["features/h", *(f"{one.outcome.per_hour:,.0f}" for one in some)],
            ["everybody waits for", *(one.outcome.bottleneck for one in some)],
        ],
    )


def _worker_lines(recorded: Recorded, assumed: Assumed) -> list[str]:
    """Where more features at a time stop helping."""
    most = MACHINES[-1]
    some = [row(most._replace(workers=one), recorded, assumed) for one in AT_A_TIME]
    return _table(
        [f"{most.gpus} GPUs, with features at a time", *map(str, AT_A_TIME)],
        [
            ["features/h", *(f"{one.outcome.per_hour:,.0f}" for one in some)],
            ["targets busy", *(f"{one.outcome.busy['target']:.0%}" for one in some)],
            ["explainers busy", *(f"{one.outcome.busy['explainer']:.0%}" for one in some)],
        ],
    )


def _disk_lines(recorded: Recorded) -> list[str]:
    settings = load_settings(PROFILE)
    assert settings.coder is not None, f"{PROFILE} says what its coder is"
    features = settings.coder.features
    disk = f"{features * recorded.database_megabytes / 1e3:,.0f} GB of database"
    beside = f"{features * recorded.artefact_megabytes / 1e3:,.0f} GB of artefacts"
    return [
        f"Disk for {features:,} findings: {disk}, {beside} (of pictures as small as the toybox's); "
        f"the index at most {_index_gigabytes():.0f} GB, for 46,684 pictures as for 10^6. "
        f"One writer writes {3600 / recorded.mean('writer'):,.0f} features an hour."
    ]


def _index_line(rows: Sequence[Row], pictures: int, assumed: Assumed) -> list[str]:
    hours = [one.index_hours(pictures, assumed) for one in rows]
    told = (
        f"{_lasting(each)}, ${one.money(each, assumed):,.0f}"
        for one, each in zip(rows, hours, strict=True)
    )
    return [f"{pictures:,} pictures", *told]


def _explainer(machines: Machines) -> str:
    size = load_settings(machines.profile).published.models["explainer"].parameters / 1e9
    where = f"{machines.replicas} x {machines.each}" if machines.each else "the same"
    return f"{where} ({size:.0f}B)"


def _tokens(one: Row) -> str:
    return f"{one.tokens_a_feature * one.features / 1e9:.1f}"


def _index_gigabytes() -> float:
    """As the doctor plans it: 64 pictures of each feature, all their cells lit, and histograms."""
    settings = load_settings(PROFILE)
    target, coder = settings.published.models["target"], settings.coder
    assert coder is not None, f"{PROFILE} says what its coder is"
    pairs = coder.features * 64
    return (pairs * 28 + pairs * (target.cells or 0) * 6 + coder.features * 700) / 1e9


def _lasting(hours: float) -> str:
    if hours >= 48:
        return f"{hours / 24:.0f} days"
    return f"{hours:.1f} h" if hours >= 1 else f"{hours * 60:.0f} min"


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]
