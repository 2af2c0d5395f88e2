"""Table 9 on the paper's profile, as it is shipped, on a stand-in of everything that it names."""

import json
import sys

from benchmarks.paper import table9
from tests.lmmscope import stand_in_server


def test_a_judge_that_reads_texts_marks_the_replies(paper, monkeypatch, capsys):
    other = stand_in_server._reply

    def reply(content):
        return "[EFFECT] 7" if "[EFFECT]" in json.dumps(content) else other(content)

    monkeypatch.setattr(stand_in_server, "_reply", reply)
    words = ["table9", "--profile", "llava-next-8b", "--features", "2", "--json"]
    monkeypatch.setattr(sys, "argv", words)
    table9.main()
    report = json.loads(capsys.readouterr().out)
    for row in report["tables"][1]["rows"]:
        assert [row["cells"][f"{mode} mode"]["value"] for mode in table9.MODES] == [7, 7]
        assert [row["cells"][f"n, {mode}"] for mode in table9.MODES] == [2, 2]
    notes = " ".join(report["notes"])
    assert "2 object features, labelled by one question" in notes
    assert "0 replies got no mark" in notes
    assert (paper / "runs" / "paper" / "table9.md").exists()
