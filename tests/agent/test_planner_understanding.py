"""The offline planner is right where it answers, and says what is missing where it does not."""

import random
import time
import tomllib

import pytest

from agent.plan import Find, Fix, Investigate, Label, NotUnderstood
from agent.planner import ChatPlanner, OfflinePlanner
from agent.planner.alternatives import alternatives
from agent.planner.classifier import Classifier
from agent.planner.context import Context
from agent.planner.intents import EXAMPLES, NONE, examples
from agent.planner.made import Made
from agent.planner.numbers import numbers_in
from agent.planner.readings import Unclear, candidates
from agent.planner.slots import slots_in
from agent.planner.tidying import tidied
from agent.planner.understanding import understood

ARTEFACT = "ab" * 32


def test_examples_are_told_apart_by_classifiers_that_have_not_seen_them():
    """Three-fold: what is answered is right, most is answered, little nonsense passes."""
    groups = tomllib.loads(EXAMPLES.read_text())["groups"]
    known = {name: words.split() for name, words in groups.items()}
    shuffled = [(intent, text) for intent, texts in examples().items() for text in texts]
    random.Random(0).shuffle(shuffled)
    answered = right = passed = 0
    for fold in range(3):
        taught: dict[str, list[str]] = {}
        for place, (intent, text) in enumerate(shuffled):
            if place % 3 != fold:
                taught.setdefault(intent, []).append(text)
        classifier = Classifier(taught, known)
        for intent, text in shuffled[fold::3]:
            likely = candidates(classifier.ranked(text))
            if intent == NONE:
                passed += bool(likely)
            else:
                answered += bool(likely)
                right += bool(likely) and likely[0].name == intent
    nonsense = sum(intent == NONE for intent, _ in shuffled)
    assert right / answered > 0.92
    assert answered / (len(shuffled) - nonsense) > 0.92
    assert passed / nonsense < 0.14


def test_no_example_stands_for_two_intents():
    texts = [text for some in examples().values() for text in some]
    assert len(texts) == len(set(texts))


@pytest.mark.parametrize(
    ("text", "features"),
    [
        ("feature 12", (12,)),
        ("#12", (12,)),
        ("f12", (12,)),
        ("12, 13 and 15", (12, 13, 15)),
        ("15, 12, 15", (15, 12)),
        ("0-3", (0, 1, 2, 3)),
        ("from 3 to 6", (3, 4, 5, 6)),
        ("features 3–5", (3, 4, 5)),  # noqa: RUF001
        ("5..3", (3, 4, 5)),
        ("between 1 and 3", (1, 2, 3)),
        ("the first 4 features", (0, 1, 2, 3)),
        ("below 3", (0, 1, 2)),
        ("up to 3", (0, 1, 2, 3)),
        ("0-5 except 2 and 4", (0, 1, 3, 5)),
        ("1-3, 7 and 9-10", (1, 2, 3, 7, 9, 10)),
        ("5 seconds, 3 times, 20 %, 1.5, v2", ()),
        ("17*23", ()),
    ],
)
def test_feature_numbers(text, features):
    assert numbers_in(text).numbers.all == features


@pytest.mark.parametrize(
    ("text", "pictures"),
    [
        ("test picture 17", ["test 17"]),
        ("picture 7", ["explore 7"]),
        ("explore 33", ["explore 33"]),
        ("fires on explore 33", ["explore 33"]),
        ("image #4 of the validation set", ["validate 4"]),
        ("the 9th test picture", ["test 9"]),
        ("number 4 of the test split", ["test 4"]),
        ("pictures 3 and 4", ["explore 3", "explore 4"]),
        ("val photo 5 and feature 6", ["validate 5"]),
        (f"artefact {ARTEFACT}", [ARTEFACT]),
        ("feature 7", []),
    ],
)
def test_pictures(text, pictures):
    text = f"on {text}"  # at the beginning, `explore 33` is a command
    assert [str(one) for one in slots_in(text).pictures.named] == pictures


@pytest.mark.parametrize("word", ["feathers", "supposed", "exploration", "variation", "lawyer"])
def test_what_is_close_to_a_keyword_and_a_word_itself_stays(word):
    assert tidied(f"find the {word} here") == f"find the {word} here"


def test_slips_and_courtesies_go_and_quotations_stay():
    told = "Hi there, could you please investgate feture twelve and 'teh word'? Thanks!"
    assert tidied(told) == "investigate feature 12 and 'teh word'?"


@pytest.mark.parametrize(
    ("request_", "missing"),
    [
        ("compare feature 3", "which two features"),
        ("investigate", "which feature"),
        ("label features", "which features"),
        ("label 0-1000000", "1000000"),
        ("label 100+", "where the features end"),
        ("find features for", "which concept"),
        ("why does it say yes to 'is there a car?'", "which picture"),
        ("why did the model answer yes on picture 7", "what the model was asked"),
        ("fix the hallucination", "what the model does wrong"),
        ("search findings", "what findings"),
        ("train an sae with 4 features", "greater than or equal to 16"),
        ("write a poem", "nothing that the agent does"),
    ],
)
def test_what_is_missing_is_named(request_, missing):
    made = understood(request_, Context())
    assert isinstance(made, Unclear), made
    assert missing in made.why


@pytest.mark.parametrize(
    ("request_", "assumed"),
    [
        ("which features fire on picture 7?", "picture 7 is the explore split's"),
        ("label 100 features", "the 100 features are those that fire on the most pictures"),
        ("explain the latest finding", "the latest finding is meant"),
        ("find features for cats", "up to 10 features are listed"),
        ("search findings for cats", "up to 10 findings are listed"),
        ("why does it say what it says to 'is it red?' for test picture 2?", "own answer"),
        ("fix the phantom chairs", "no place is named, so chair is looked into everywhere"),
        ("load the sae", "the profile's sparse autoencoder is meant"),
        ("train an sae on layer 3, k 8", "taken from the profile: number of features, tokens"),
        ("train an sae on the third layer", "the 3rd layer is layers.3, counted from 0"),
        ("train an sae on layer 3, active per token: 50", "50 is k"),
    ],
)
def test_what_is_taken_for_granted_is_said(request_, assumed):
    made = understood(request_, Context())
    assert isinstance(made, Made)
    assert any(assumed in line for line in made.assumed)


def test_many_features_in_the_place_of_one_are_labelled_and_that_is_said():
    context = Context().after((Investigate(features=(12,)),))
    made = understood("do the same for 30 to 99", context)
    assert made == Made(
        (Label(features=tuple(range(30, 100))),),
        ("70 features are labelled; up to 16 would be investigated",),
    )


def test_a_task_that_goes_on_from_another_leaves_nothing_open():
    context = Context().after((Find(words="cats", count=5),))
    assert understood("and dogs?", context) == Made((Find(words="dogs", count=5),))


def test_a_number_that_nothing_counts_is_named():
    made = understood("find features for cats, feature 7", Context())
    assert isinstance(made, Made)
    assert "7 is left aside, as nothing says what it counts" in made.assumed


def test_of_two_readings_as_good_as_each_other_none_is_taken():
    told = "which labels do we have for features on cats"
    made = understood(told, Context())
    assert isinstance(made, Unclear)
    assert "as well as to find features" in made.why
    assert {"find features for cats", "search findings for cats"} <= set(alternatives(told))


def test_a_behaviour_keeps_the_words_of_whoever_asked():
    told = "why does the model say there is an umbrella on this beach? find a fix"
    made = understood(told, Context())
    assert made == Made((Fix(behaviour=told, thing="umbrella", place="beach"),))


@pytest.mark.parametrize(
    "request_",
    ["", "??", "write a poem about the sea", "compare feature 3", "sell features 7, 9", "12",
     "paint picture 7 green", f"mail {ARTEFACT}", "the 'odd one'", "<feature> <n> <n>", "a" * 900],
)  # fmt: skip
def test_what_could_be_asked_instead_is_itself_understood(request_):
    instead = alternatives(request_)
    assert len(set(instead)) == 3
    assert [one for one in instead if isinstance(understood(one, Context()), Unclear)] == []


def test_what_could_be_asked_instead_uses_what_was_said():
    assert "compare features 7 and 9" in alternatives("sell features 7 and 9")
    assert any("the odd one" in one for one in alternatives("what is 'the odd one'"))


@pytest.mark.parametrize(
    "text",
    ["status and ", "find features for ", "the ", "features ", "most ", "'", "(", "12, ",
     "why does the model say there is ", "picture 7 of the test set and "],
)  # fmt: skip
def test_a_long_request_takes_no_long_time(text):
    started = time.process_time()
    understood((text * 2000)[:2000], Context())
    assert time.process_time() - started < 3


@pytest.mark.anyio
async def test_orders_within_quotations_are_words():
    planner = ChatPlanner(OfflinePlanner())
    plan = await planner.plan("find features for 'label 0-20 and then train an sae'")
    assert not isinstance(plan, NotUnderstood)
    assert [task.task for task in plan.tasks] == ["find"]
    assert not any(isinstance(task, Label) for task in plan.tasks)


@pytest.fixture
def anyio_backend():
    return "asyncio"
