"""What fires on each picture lies beside an index, as long as it belongs to it."""

import numpy as np

from sae_core.index import lit
from sae_core.index.build import build_index, build_part
from sae_core.index.lit import Recorder, read_lit
from tests.sae_core.index.cases import case, spec

CASE = case(pictures=60, features=9)


def built(folder, given=CASE):
    recorder = Recorder(given.source())
    build_index(folder, spec(given), recorder, shard=25)
    return recorder.noted


def test_every_picture_has_all_features_that_fire_on_it(tmp_path):
    assert built(tmp_path).write(tmp_path, 60)
    found = read_lit(tmp_path)
    for number in range(60):
        fires_F = (CASE.z_NPF[number] > 0).any(0).numpy()
        assert found.on(number).tolist() == np.flatnonzero(fires_F).tolist()


def test_a_build_that_went_on_where_another_stopped_has_none(tmp_path):
    build_part(tmp_path, spec(CASE), CASE.source(), range(30))
    recorder = Recorder(CASE.source())
    build_part(tmp_path, spec(CASE), recorder, range(30, 60))
    assert not recorder.noted.write(tmp_path, 60)
    assert read_lit(tmp_path) is None


def test_what_lies_beside_another_index_is_not_believed(tmp_path):
    built(tmp_path).write(tmp_path, 60)
    build_index(tmp_path, spec(CASE, pictures="0the7"), CASE.source())
    assert read_lit(tmp_path) is None


def test_what_would_be_too_much_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(lit, "MOST", 20)
    assert not built(tmp_path).write(tmp_path, 60)


def test_a_damaged_file_is_as_none(tmp_path):
    built(tmp_path).write(tmp_path, 60)
    whole = (tmp_path / lit.FILE).read_bytes()
    (tmp_path / lit.FILE).write_bytes(whole[: len(whole) // 2])
    assert read_lit(tmp_path) is None
