"""Findings in Neuronpedia's folders: names that fit together, and nothing claimed that failed."""

import gzip
import io
import json
import re
import zipfile

import pytest

from review.exports import neuronpedia
from review.exports.neuronpedia import source_of, write_neuronpedia
from review.exports.source import each_finding
from tests.agent.store.conftest import PROVENANCE, finding_of
from tests.review.exports.conftest import FORMULA

FOLDER = "a-model/24-lmmscope-layers-24-coder"

# The importer takes a table's columns from the first line of a file, and the rows by these names.
NEEDED = {
    "model": "id creatorId layers neuronsPerLayer owner",
    "release": "name description creatorName creatorId urls",
    "sourceset": "modelId name description creatorName creatorId urls",
    "source": "id modelId setName creatorId",
    "features": "modelId layer index",
    "activations": (
        "modelId layer index creatorId tokens values maxValue minValue maxValueTokenIndex"
    ),
    "explanations": "modelId layer index description authorId",
}
ALLOWED = {
    "model": "displayName displayNameShort visibility",
    "release": "visibility",
    "sourceset": "type releaseName visibility hasDashboards allowInferenceSearch",
    "source": "visibility hasDashboards inferenceEnabled notes",
    "features": (
        "sourceSetName creatorId maxActApprox hasVector vector vectorLabel hookName frac_nonzero "
        "vectorDefaultSteerStrength topkCosSimIndices topkCosSimValues neuron_alignment_indices "
        "neuron_alignment_values neuron_alignment_l1 correlated_neurons_indices "
        "correlated_neurons_pearson correlated_neurons_l1 neg_str neg_values pos_str pos_values "
        "freq_hist_data_bar_heights freq_hist_data_bar_values logits_hist_data_bar_heights "
        "logits_hist_data_bar_values decoder_weights_dist"
    ),
    "activations": ("id dataSource dfaValues dfaTargetIndex dfaMaxValue binMin binMax binContains"),
    "explanations": (
        "id embedding notes typeName explanationModelName umap_x umap_y umap_cluster "
        "umap_log_feature_sparsity"
    ),
}


def written(store, findings=None):
    file = io.BytesIO()
    told = write_neuronpedia(store, each_finding(store) if findings is None else findings, file)
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        return told, {name: _rows(archive, name) for name in archive.namelist()}


def _rows(archive, name):
    content = archive.read(name)
    text = gzip.decompress(content) if name.endswith(".gz") else content
    return [json.loads(line) for line in text.decode().splitlines()]


@pytest.fixture
def files(store):
    return written(store)[1]


def test_features_activations_and_explanations_name_the_same_source(files):
    (source,) = files[f"{FOLDER}/source.jsonl"]
    for kind in ("features", "activations", "explanations"):
        for row in files[f"{FOLDER}/{kind}/batch-0.jsonl.gz"]:
            assert (row["modelId"], row["layer"]) == ("a-model", source["id"])
            assert row["index"] == "118"
    (group,) = files[f"{FOLDER}/sourceset.jsonl"]
    assert source["setName"] == group["name"]
    assert re.fullmatch(r"[a-z0-9_-]+", source["id"])


@pytest.mark.parametrize("table", NEEDED)
def test_rows_have_the_columns_of_neuronpedia_s_tables_and_no_others(files, table):
    (name,) = [one for one in files if re.match(rf"{FOLDER}/{table}[./]", one)]
    needed = set(NEEDED[table].split())
    for row in files[name]:
        assert needed <= set(row) <= needed | set(ALLOWED[table].split())
        assert all(row[one] is not None for one in needed)


def test_what_the_format_cannot_say_is_in_the_notes(files):
    assert (
        "the pictures themselves are not in the export"
        in files[f"{FOLDER}/source.jsonl"][0]["notes"]
    )


def test_an_explanation_brings_its_test_and_refers_to_known_names(files):
    (row,) = files[f"{FOLDER}/explanations/batch-0.jsonl.gz"]
    assert row["description"] == FORMULA
    notes = json.loads(row["notes"])
    assert notes["verification"]["scores"]["auroc"]["nulls"][0]["value"] == 0.5
    assert row["typeName"] in {one["name"] for one in files["config/explanation_type.jsonl"]}
    models = {one["name"] for one in files["config/explanation_model_type.jsonl"]}
    assert row["explanationModelName"] in models


def test_a_picture_s_cells_are_tokens_and_each_picture_a_text_of_its_own(files):
    first, second = files[f"{FOLDER}/activations/batch-0.jsonl.gz"]
    assert first["values"] == [0.0, 1.5, 0.25, 0.0]
    assert (first["maxValue"], first["maxValueTokenIndex"]) == (1.5, 1)
    assert len(first["tokens"]) == 4
    assert first["tokens"][1] == " r1c2"
    assert "".join(first["tokens"]) != "".join(second["tokens"])


def test_a_feature_has_its_peak_and_the_share_of_pictures_it_fires_on(files):
    (row,) = files[f"{FOLDER}/features/batch-0.jsonl.gz"]
    assert (row["maxActApprox"], row["frac_nonzero"]) == (1.5, 0.25)
    assert row["hookName"] == "layers.24"


def test_labels_that_failed_are_no_explanations(store):
    told, _ = written(store, [finding_of(5, label="a hat", status="refuted")])
    assert (told.features, told.explanations) == (1, 0)


def test_evidence_that_is_gone_is_counted_and_the_feature_kept(store):
    told, files = written(store, [finding_of(5)])
    assert (told.features, told.activations, told.without_evidence) == (1, 0, 1)
    assert files["m/0-lmmscope-h-coder/features/batch-0.jsonl.gz"][0]["index"] == "5"


def test_many_features_are_divided_into_batches(store, monkeypatch):
    monkeypatch.setattr(neuronpedia, "BATCH", 2)
    other = PROVENANCE.model_copy(update={"hook": "layers.3"})
    findings = [finding_of(n) for n in range(3)] + [finding_of(1, provenance=other)]
    told, files = written(store, [*findings, finding_of(4)])
    assert told.features == 5
    own = [name for name in files if name.startswith("m/0-lmmscope-h-coder/features/")]
    assert [len(files[name]) for name in own] == [2, 1, 1]
    assert "m/3-lmmscope-layers-3-coder/features/batch-0.jsonl.gz" in files


def test_the_same_findings_make_the_same_file(store):
    first, second = io.BytesIO(), io.BytesIO()
    for file in (first, second):
        write_neuronpedia(store, each_finding(store), file)
    assert first.getvalue() == second.getvalue()


@pytest.mark.parametrize(
    ("model", "hook", "name"),
    [
        (
            "llava-hf/llama3-llava-next-8b-hf",
            "model.layers.24",
            "24-lmmscope-model-layers-24-coder",
        ),
        ("../..", "pixels", "0-lmmscope-pixels-coder"),
    ],
)
def test_sources_have_names_that_are_allowed_and_lead_nowhere_else(model, hook, name):
    source = source_of(PROVENANCE.model_copy(update={"model": model, "hook": hook}))
    assert source.layer == name
    assert re.fullmatch(r"[a-z0-9_-]+/[a-z0-9_-]+", source.folder)
