"""What a model is said to claim becomes the question and the answer that it stands for."""

import pytest

from agent.planner.claims import claimed, proposition


@pytest.mark.parametrize(
    ("told", "question", "answer"),
    [
        (
            "why does it say there is a cat on the mat in <picture>",
            "is there a cat on the mat?",
            "yes",
        ),
        ("it says there are no cats in <picture>", "are there any cats?", "no"),
        ("it doesn't say that there's a cat", "is there a cat?", "no"),
        ("it denies that there is no cat", "is there a cat?", "yes"),
        ("why can't it see the clock in <picture>", "is there a clock?", "no"),
        ("it overlooks the small clock", "is there a small clock?", "no"),
        ("why isn't the umbrella seen in <picture>", "is there an umbrella?", "no"),
        ("it claims that it sees a bus in <picture>", "is there a bus?", "yes"),
        ("it thinks <picture> contains a bus", "is there a bus?", "yes"),
        ("it says a dog is in <picture>. why?", "is there a dog?", "yes"),
        ("it sees a boat that isn't there", "is there a boat?", "yes"),
        ("it says there are 3 cups", "are there 3 cups?", "yes"),
        ("it thinks it's raining in <picture>", "is it raining?", "yes"),
        ("it says the man on the left is smiling", "is the man on the left smiling?", "yes"),
        ("it believes the car isn't moving in <picture>", "is the car moving?", "no"),
        ("it says the sky in <picture> is blue", "what color is the sky?", "blue"),
        ("it says the house is made of wood", "what is the house made of?", "wood"),
        ("it claims the dog has a collar", "does the dog have a collar?", "yes"),
        ("it claims the dog has no collar", "does the dog have a collar?", "no"),
        ("it says the man wears a hat, why?", "does the man wear a hat?", "yes"),
        ("it calls the animal in <picture> a dog", "is the animal a dog?", "yes"),
        ("it mistakes the dog for a cat", "is the dog a cat?", "yes"),
        ("why <picture> is classified as a beach", "is this a beach?", "yes"),
        ("there's no car in <picture>, yet it says there is one", "is there a car?", "yes"),
    ],
)
def test_a_claim_is_an_answer_to_a_question(told, question, answer):
    assert claimed(told) == (question, answer)


@pytest.mark.parametrize("told", ["it answers yes", "why did it say that", "what does it think of"])
def test_where_nothing_is_claimed_there_is_no_question(told):
    assert claimed(told) is None


def test_a_claim_by_itself_needs_nobody_who_makes_it():
    assert proposition("there is a cat") == ("is there a cat?", "yes")
    assert proposition("a cat") is None
