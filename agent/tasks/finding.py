"""The task Find: features for some words, or for what a picture shows.

Labels that are known come first; where none fits, pictures that fit the words lead to features.
"""

from __future__ import annotations

from agent.desk import Desk
from agent.done import Done
from agent.plan import Find
from agent.planner import Named
from tools.find_features import FindFeaturesResult


async def find(desk: Desk, task: Find) -> Done:
    """Look among the labels, then through pictures."""
    if task.picture is not None:
        picture = task.picture.model_dump()
        found: FindFeaturesResult = await desk.use(
            "find_features", f"what fires on {task.picture}", picture=picture, count=task.count
        )
        return _done(found, f"picture {task.picture}")
    words = task.words or ""
    found = await desk.use("find_features", f"labels like {words!r}", words=words, count=task.count)
    if not found.found:
        found = await desk.use(
            "find_features",
            f"no label fits: features that fire on pictures like {words!r}",
            words=words,
            by="pictures",
            count=task.count,
        )
    return _done(found, repr(words))


HOW = {
    "labels": "by their verified labels",
    "pictures": "by the pictures that fit the words; nobody has verified what they mean",
    "example": "by how strongly they fire there",
}


def _done(found: FindFeaturesResult, what: str) -> Done:
    if not found.found:
        return Done(text=f"No feature found for {what}.")
    lines = [f"Features for {what}, {HOW[found.how]}:"]
    for one in found.found:
        label = f" {one.label}" if one.label else ""
        often = f"fires on {one.picture_rate:.1%} of the pictures"
        lines.append(f"- feature {one.feature}:{label} (score {one.score:.2f}, {often})")
    return Done(text="\n".join(lines), named=tuple(Named(one.feature) for one in found.found))
