"""How each task of a plan is done: one function for each kind, all with the same face.

Knows which task goes where; what it takes is in the module of its name.
"""

from __future__ import annotations

from agent.desk import Desk
from agent.done import Done
from agent.office import Office
from agent.plan import (
    Compare,
    ExplainFinding,
    Find,
    Fix,
    Investigate,
    Label,
    LoadSae,
    Report,
    SearchFindings,
    Task,
    TrainSae,
    Why,
)
from agent.tasks.behaving import fix, why
from agent.tasks.coders import load_sae, train_sae
from agent.tasks.comparing import compare
from agent.tasks.finding import find
from agent.tasks.labelling import investigate, label
from agent.tasks.recalling import explain_finding, report, search_findings, sought_in

__all__ = ["perform", "told"]


async def perform(office: Office, desk: Desk, task: Task, approved: float = 0.0) -> Done:
    """Do a task; NeedsApproval where it costs more than somebody has agreed to."""
    match task:
        case Investigate():
            return await investigate(office, desk, task)
        case Label():
            return await label(office, desk, task)
        case Compare():
            return await compare(office, desk, task)
        case Find():
            return await find(desk, task)
        case Why():
            return await why(desk, task)
        case Fix():
            return await fix(office, desk, task)
        case SearchFindings():
            return await search_findings(desk, task)
        case ExplainFinding():
            return await explain_finding(office, task)
        case TrainSae():
            return await train_sae(desk, task, approved)
        case LoadSae():
            return await load_sae(desk, task)
        case Report():
            return await report(office)


def told(task: Task) -> str:
    """A task in a few words."""
    match task:
        case Investigate(features=features):
            return f"investigate {numbered(features)}"
        case Label(active=int(count)):
            return f"label the {count} most active features"
        case Label(features=features):
            return f"label {numbered(features)}"
        case Compare(one=one, other=other):
            return f"compare features {one} and {other}"
        case Find(words=str(words)):
            return f"find features for {words!r}"
        case Find(picture=picture):
            return f"find features for picture {picture}"
        case Why(question=question, picture=picture):
            return f"say why the model answers {question!r} for picture {picture} as it does"
        case Fix(behaviour=behaviour):
            return f"find a fix: {behaviour}"
        case SearchFindings():
            return f"search for {sought_in(task)}"
        case ExplainFinding(finding=str(name)):
            return f"explain finding {name}"
        case ExplainFinding(feature=int(number)):
            return f"explain the latest finding about feature {number}"
        case ExplainFinding():
            return "explain the latest finding"
        case TrainSae():
            return "train a sparse autoencoder"
        case LoadSae(name=name):
            return f"look into {name or 'the sparse autoencoder of the profile'}"
        case Report():
            return "say how things stand"


def numbered(features: tuple[int, ...]) -> str:
    """Feature numbers in a few words."""
    if len(features) == 1:
        return f"feature {features[0]}"
    if features == tuple(range(features[0], features[-1] + 1)):
        return f"features {features[0]} to {features[-1]}"
    shown = ", ".join(map(str, features[:8]))
    return f"features {shown}" + (f" and {len(features) - 8} more" if len(features) > 8 else "")
