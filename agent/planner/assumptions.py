"""What a plan takes for granted where a request leaves an argument open.

Knows what each task does without an argument; nothing of wordings. A task that goes on from another
has all its arguments from there, and leaves none open.
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.plan import Find, Fix, LoadSae, SearchFindings, Task, TrainSae, Why

_SIZES = {"hook": "layer", "features": "number of features", "k": "k", "tokens": "tokens"}


def left_open_by(task: Task) -> Iterator[str]:
    """A line for each argument that nobody named."""
    match task:
        case Find() if "count" not in task.model_fields_set:
            yield f"up to {task.count} features are listed"
        case SearchFindings() if "count" not in task.model_fields_set:
            yield f"up to {task.count} findings are listed"
        case Why(answer=None):
            yield "the model's own answer is explained"
        case Fix(thing=str(thing), place=None):
            yield f"no place is named, so {thing} is looked into everywhere"
        case LoadSae(name=None):
            yield "the profile's sparse autoencoder is meant"
        case TrainSae():
            if missing := [told for name, told in _SIZES.items() if getattr(task, name) is None]:
                yield f"taken from the profile: {', '.join(missing)}"
        case _:
            return
