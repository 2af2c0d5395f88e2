"""One run of our own index, and of asking it for every feature's pictures.

`whole` also finds negatives and neighbours, which the others don't: without it they are looked for
on one picture instead of a pool of them.
"""

from collections.abc import Iterator

from codes import TOP, Best, Caching

from sae_core.coders.sparse import Code
from sae_core.index.build import build_index
from sae_core.index.query import Index
from sae_core.index.spec import IndexSpec
from sae_core.index.table import Harvested

task = Caching()
grid = (task["cells"], 1)
given = {} if task["whole"] else {"pool": 1}
spec = IndexSpec(
    coder="drawn", features=task["features"], model="none", hook="layers.0", pictures="drawn",
    size=task["pictures"], grid=grid, **given,
)  # fmt: skip


def source(span: range) -> Iterator[Harvested]:
    """The codes as an observer would give them."""
    for codes in task.batches(span):
        # What a picture is like is not known here; any vector serves, as nothing is asked of it.
        near_BE = codes.value_BPK.mean(1)
        yield Harvested(codes.picture_B, Code(codes.value_BPK, codes.index_BPK), near_BE, grid)


def chosen() -> Iterator[Best]:
    """Every feature's pictures."""
    index = Index.open(task.folder)
    for feature in range(task["features"]):
        best = index.paper_top5(feature)[:TOP]
        if best:
            yield Best(feature, [one.picture for one in best], [one.mean for one in best])


build_index(task.folder, spec, source)
task.cached()
task.finish(chosen())
