"""The published pipeline's caching and choosing of pictures, written anew from its description.

Codes are made dense, everything above 1e-5 is kept in memory with its place as three whole numbers,
and written in splits of features. To choose, each feature's activations are sought through its
whole split. Two things differ, both in its favour: a split keeps its last feature, and a feature
is made dense over the cells of the base grid, not over 8,000 positions.
"""

from collections.abc import Iterator

import torch
from codes import Best, Caching, best_of
from safetensors.torch import load_file, save_file
from torch import Tensor

LEAST = 1e-5
SPLITS = 5


def seen(task: Caching) -> tuple[Tensor, Tensor]:
    """Where something fires [M, 3], and how strongly [M]."""
    places, values = [], []
    for codes in task.batches():
        z_BPF = codes.dense(task["features"])
        place_M3 = torch.nonzero(z_BPF.abs() > LEAST)
        value_M = z_BPF[z_BPF.abs() > LEAST]
        place_M3[:, 0] += codes.picture_B[0]
        places.append(place_M3)
        values.append(value_M)
    return torch.cat(places), torch.cat(values)


def keep(task: Caching) -> None:
    """Write it in splits of features."""
    place_M3, value_M = seen(task)
    bounds = torch.linspace(0, task["features"], SPLITS + 1).long().tolist()
    task.folder.mkdir(parents=True)
    for split in range(SPLITS):
        feature_M = place_M3[:, 2]
        here_M = (feature_M >= bounds[split]) & (feature_M < bounds[split + 1])
        found = {"places": place_M3[here_M], "values": value_M[here_M]}
        save_file(found, task.folder / f"{split}.safetensors")


def chosen(task: Caching) -> Iterator[Best]:
    """Every feature's pictures."""
    shape = (task["pictures"], task["cells"])
    for path in sorted(task.folder.glob("*.safetensors")):
        split = load_file(path)
        place_M3, value_M = split["places"], split["values"]
        for feature in place_M3[:, 2].unique().tolist():
            own_M = place_M3[:, 2] == feature
            yield best_of(feature, place_M3[own_M][:, :2], value_M[own_M], shape)


task = Caching()
keep(task)
task.cached()
task.finish(chosen(task))
