import json

from benchmarks.pace import Compared, report


def test_json_is_one_document_with_everything_measured(capsys):
    found = [Compared("a pass", 1.0, 1.5, 1.5, 2.0)]
    report(found, True, "title", builds=[{"pictures": 3}])
    captured = capsys.readouterr()
    assert captured.err == ""
    document = json.loads(captured.out)
    assert document["compared"][0]["ratio"] == 1.5
    assert document["builds"] == [{"pictures": 3}]
