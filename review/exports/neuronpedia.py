"""Findings in Neuronpedia's batch format: folders of features, activations, explanations, zipped.

A picture has no field there, so its cells stand for tokens; what else can't be said is written into
the source's `notes`. Only labels that passed their sealed test become explanations, as there is no
place to say that one failed. Knows findings and evidence; nothing of Neuronpedia's database.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from typing import IO, Any, NamedTuple

from agent.errors import WontWork
from agent.findings import FeatureFinding, Finding, Provenance
from agent.store import Reader
from review.exports.cells import activations_of

BATCH = 1024
"""Features in a file."""
LEVEL = 5
"""How hard files are compressed."""
NAME = "lmmscope"
Json = dict[str, Any]
NOTES = """Made by lmmscope from features that fire on pictures. What this format can't say:
(1) Pictures. An activation's tokens are names of the picture's cells, row by row, and its values
are the feature's activations there; the pictures themselves are not in the export.
(2) frac_nonzero is the share of pictures, not of tokens, on which a feature fires.
(3) Logits, histograms, bins, decoder neighbours, embeddings and UMAP places are left empty.
(4) Scores with their intervals and nulls, sealed tests and steering are in each explanation's
`notes` as JSON.
(5) Features whose explanation failed, or that have none, are here without an explanation.
(6) creatorId and authorId stand for a user of the instance that imports this.""".replace("\n", " ")


class Source(NamedTuple):
    """A coder at a layer, by the names that Neuronpedia allows."""

    model: str
    layer: str
    group: str
    """The source set."""
    hook: str
    coder: str

    @property
    def folder(self) -> str:
        """Where its files are."""
        return f"{self.model}/{self.layer}"


class Written(NamedTuple):
    """How much of it there was."""

    features: int
    explanations: int
    activations: int
    without_evidence: int
    """Features whose evidence is gone from the runs folder."""


def source_of(about: Provenance) -> Source:
    """The source that a finding's feature belongs to; a hook without a number is layer 0."""
    numbers = re.findall(r"\d+", about.hook)
    group = f"{NAME}-{_slug(about.hook)}-{about.coder[:8]}"
    layer = f"{numbers[-1] if numbers else 0}-{group}"
    return Source(_slug(about.model.rpartition("/")[2]), layer, group, about.hook, about.coder)


def write_neuronpedia(store: Reader, findings: Iterable[Finding], file: IO[bytes]) -> Written:
    """All feature findings, which have to come by coder and feature; behaviours have no place."""
    counted, batches = Written(0, 0, 0, 0), Counter[Source]()
    explainers: set[str] = set()
    features = (one for one in findings if isinstance(one, FeatureFinding))
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:  # its files are compressed
        for source, own in groupby(features, lambda one: source_of(one.provenance)):
            if not batches[source]:
                _describe(archive, source)
            for batch in _batched(own):
                explainers.update(_explainer(one) for one in batch)
                told = _write_batch(store, archive, source, batches[source], batch)
                counted = Written(*(a + b for a, b in zip(counted, told, strict=True)))
                batches[source] += 1
        _configure(archive, sorted(explainers))
    return counted


def _write_batch(
    store: Reader,
    archive: zipfile.ZipFile,
    source: Source,
    number: int,
    batch: list[FeatureFinding],
) -> Written:
    features, counted, missing = list[Json](), 0, 0
    # Written as they come: the cells of all pictures of a batch fill a gigabyte.
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=LEVEL, mtime=0) as activations:
        for one in batch:
            try:
                evidence = store.evidence(one.evidence)
            except WontWork:
                features.append(_feature(source, one, 0.0, 0.0))
                missing += 1
                continue
            share = evidence.fires_on / max(1, evidence.size)
            features.append(_feature(source, one, evidence.peak, share))
            identity = {**_identity(source, one), "creatorId": NAME}
            for told in activations_of(one.id, evidence):
                activations.write(_lines([{**identity, **told}]))
                counted += 1
    explanations = [_explanation(source, one) for one in batch if one.status == "supported"]
    for name, content in (
        ("features", _packed(features)),
        ("activations", packed.getvalue()),
        ("explanations", _packed(explanations)),
    ):
        _put(archive, f"{source.folder}/{name}/batch-{number}.jsonl.gz", content)
    return Written(len(features), len(explanations), counted, missing)


def _packed(rows: Iterable[Json]) -> bytes:
    return gzip.compress(_lines(rows), LEVEL, mtime=0)


def _feature(source: Source, one: FeatureFinding, peak: float, share: float) -> Json:
    nothing = (
        "freq_hist_data_bar_heights", "freq_hist_data_bar_values", "logits_hist_data_bar_heights",
        "logits_hist_data_bar_values", "neuron_alignment_indices", "neuron_alignment_l1",
        "neuron_alignment_values", "correlated_neurons_indices", "correlated_neurons_l1",
        "correlated_neurons_pearson", "decoder_weights_dist", "neg_str", "neg_values", "pos_str",
        "pos_values", "topkCosSimIndices", "topkCosSimValues", "vector",
    )  # fmt: skip
    return {
        **_identity(source, one),
        "maxActApprox": peak,
        "creatorId": NAME,
        "frac_nonzero": share,
        **{name: [] for name in nothing},
        "sourceSetName": source.group,
        "vectorLabel": None,
        "hookName": source.hook,
        "vectorDefaultSteerStrength": None,
        "hasVector": False,
    }


def _explanation(source: Source, one: FeatureFinding) -> Json:
    told = {
        "run": one.run,
        "summary": one.summary,
        "category": one.category,
        "tags": one.tags,
        "verification": one.verification and one.verification.model_dump(mode="json"),
        "steering": one.steering and one.steering.model_dump(mode="json", exclude={"texts"}),
    }
    return {
        "id": one.id,
        **_identity(source, one),
        "authorId": NAME,
        "description": one.label,
        "embedding": None,
        "typeName": NAME,
        "explanationModelName": _explainer(one),
        "notes": json.dumps(told),
        "umap_x": 0,
        "umap_y": 0,
        "umap_cluster": 0,
        "umap_log_feature_sparsity": 0,
    }


def _describe(archive: zipfile.ZipFile, source: Source) -> None:
    """The model, the release, the source set and the source."""
    common = {"creatorId": NAME, "visibility": "PRIVATE"}
    about = {**common, "creatorName": NAME, "urls": []}
    model = {
        **common, "id": source.model, "displayNameShort": source.model,
        "displayName": source.model, "layers": 0, "neuronsPerLayer": 0, "owner": "",
    }  # fmt: skip
    group = {
        **about, "modelId": source.model, "name": source.group, "type": "pictures",
        "description": f"Coder {source.coder} at {source.hook}", "releaseName": NAME,
        "hasDashboards": True, "allowInferenceSearch": False,
    }  # fmt: skip
    own = {
        **common, "id": source.layer, "modelId": source.model, "setName": source.group,
        "hasDashboards": True, "inferenceEnabled": False, "notes": NOTES,
    }  # fmt: skip
    release = {**about, "name": NAME, "description": "Features that respond to pictures"}
    for name, row in (
        ("model", model), ("release", release), ("sourceset", group), ("source", own)
    ):  # fmt: skip
        _put(archive, f"{source.folder}/{name}.jsonl", _lines([row]))


def _configure(archive: zipfile.ZipFile, explainers: list[str]) -> None:
    """What explanations refer to by name."""
    described = "A label that passed a sealed test on pictures that nobody had looked at"
    kind = {"name": NAME, "displayName": NAME, "description": described, "creatorName": NAME}
    models = [
        {"name": name, "displayName": name, "description": "An explainer", "creatorName": NAME}
        for name in explainers
    ]
    rows = [{**kind, "creatorId": NAME, "settings": None}]
    _put(archive, "config/explanation_type.jsonl", _lines(rows))
    _put(archive, "config/explanation_model_type.jsonl", _lines(models))


def _identity(source: Source, one: FeatureFinding) -> Json:
    return {"modelId": source.model, "layer": source.layer, "index": str(one.feature)}


def _explainer(one: FeatureFinding) -> str:
    return one.provenance.models.get("explainer", NAME).split(" ")[0]


def _batched(findings: Iterator[FeatureFinding]) -> Iterator[list[FeatureFinding]]:
    while batch := list(islice(findings, BATCH)):
        yield batch


def _put(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """The same findings make the same file, so no time of today's is in it."""
    archive.writestr(zipfile.ZipInfo(name), content)


def _lines(rows: Iterable[Json]) -> bytes:
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-") or "unnamed"
