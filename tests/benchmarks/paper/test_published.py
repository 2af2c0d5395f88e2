"""The paper's numbers: what is printed there, and nothing else."""

from pathlib import Path

from benchmarks.paper.__main__ import entries
from benchmarks.paper.published import (
    CONCEPTS,
    MEANT,
    TABLE_1,
    TABLE_2,
    TABLE_3,
    TABLE_4,
    TABLE_9,
    TABLE_10,
    TABLE_11,
    TOTAL,
)  # fmt: skip


def test_table_1_is_as_printed():
    found = {name: (one.iou.value, one.clip.value) for name, one in TABLE_1.items()}
    assert found == {
        "scene": (0.20, 24.4), "object": (0.19, 24.0), "part": (0.21, 23.5),
        "material": (0.39, 24.1), "texture": (0.21, 20.9), "colour": (0.10, 20.3),
        "total": (0.20, 23.6),
    }  # fmt: skip
    assert TABLE_1[TOTAL].iou_random.value == 0.005
    assert TABLE_1[TOTAL].iou_random.half == 2e-4
    assert TABLE_1["material"].iou_random.half == 8e-3
    assert TABLE_1["colour"].clip_random.value == 19.6
    assert TABLE_1[TOTAL].clip_random.half == 1e-2


def test_table_2_has_the_means_that_it_prints():
    assert (TABLE_2[TOTAL].judge.value, TABLE_2[TOTAL].human.value) == (0.89, 0.75)
    people = [TABLE_2[one].human.value for one in CONCEPTS]
    assert abs(sum(people) / len(people) - TABLE_2[TOTAL].human.value) < 0.005


def test_layers_and_architectures_are_as_printed():
    layers = {n: (one.iou and one.iou.value, one.clip.value) for n, one in TABLE_3.items()}
    assert layers == {8: (0.30, 22.82), 25: (0.31, 24.92), 32: (0.40, 26.55)}
    assert TABLE_4["InstructBLIP-7B"] == TABLE_10["InstructBLIP-7B"]
    assert TABLE_4["InstructBLIP-7B"].iou is None
    qwen = TABLE_10["Qwen2.5-VL"]
    assert qwen.iou is not None
    assert (qwen.iou.value, qwen.clip.value) == (0.2667, 27.99)
    # Table 10 prints its IoU in percent, also that of chance.
    assert qwen.iou_random is not None
    assert qwen.iou_random.value == 0.0006


def test_steering_and_hallucination_are_as_printed():
    assert (TABLE_9.steered.value, TABLE_9.random.value) == (6.36, 2.02)
    assert [one.value for one in TABLE_11] == [0.09, 0.89, 0.02]


def test_every_table_with_numbers_says_what_they_meant():
    assert set(MEANT) == {1, 2, 3, 4, 9, 10, 11}


def test_the_list_names_a_module_for_each_command():
    listed = {one.command.split()[2] for one in entries()}
    assert {f"benchmarks.paper.table{n}" for n in (1, 2, 3, 4)} <= listed
    root = Path(__file__).parents[3]
    for name in listed:
        place = root / name.replace(".", "/")
        assert place.with_suffix(".py").exists() or (place / "__main__.py").exists()
