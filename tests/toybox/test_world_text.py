"""What is said of a scene is true of it: each answer is worked out again from the things shown."""

import dataclasses
import re
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toybox.vocabulary import EMOTIONS, OBJECTS, PARTS
from toybox.world import BIAS, Scene, Thing, edit
from toybox.world_draw import MIN_VISIBLE, draw_scene
from toybox.world_splits import fresh_scene
from toybox.world_text import (
    LONG_FORMS,
    SHORT_FORMS,
    Asker,
    Question,
    ask,
    caption,
    parts_of,
    story,
)  # fmt: skip

SCENES = 250
PLACES = {
    "beach": "a beach", "forest": "a forest", "city": "a city", "kitchen": "a kitchen",
    "bedroom": "a bedroom", "desert": "a desert", "snow": "a snow field", "sea": "the sea",
    None: "an empty wall",
}  # fmt: skip
LOOKS = {"wooden": "wood", "woolen": "wool"}
PATTERNS = {
    "striped": "stripes", "dotted": "dots", "checkered": "checks", "zigzag": "zigzags",
    "netted": "nets", "patchy": "patches", "plain": "none",
}  # fmt: skip
PLURALS = {"buses": "bus", "cacti": "cactus", "fish": "fish", "persons": "person"}
COUNTS = ["zero", "one", "two", "three", "four", "five", "six"]
DEEDS = {"happy": "sang to", "sad": "cried near", "angry": "shouted at", "surprised": "found"}


def _spoken(thing: Thing) -> str:
    """A thing as it is described."""
    finish = {v: k for k, v in LOOKS.items()}.get(thing.finish, thing.finish)
    look = thing.colour if thing.finish == "plain" else f"{thing.colour} {finish}"
    if thing.kind == "person":
        words = f"{thing.emotion} person in {look}"
    elif thing.kind == "sign":
        words = f"{thing.colour} sign that says {thing.word}"
    else:
        words = f"{look} {thing.kind}"
    return f"an {words}" if words[0] in "aeiou" else f"a {words}"


def _kinds_in(text: str) -> Counter[str]:
    """The objects that a text names; what is written on a sign is no object."""
    words = re.findall(r"[a-z]+", re.sub(r"says \w+", "says", text))
    return Counter(word for word in words if word in OBJECTS)


def _joined(items: list[str]) -> str:
    if len(items) < 2:
        return items[0] if items else "nothing"
    return f"{', '.join(items[:-1])} and {items[-1]}"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _asked(text: str, *patterns: str) -> str:
    """The words that a question is about."""
    found = [m[1] for pattern in patterns if (m := re.fullmatch(pattern, text))]
    assert found, f"a new wording: {text!r}"
    return found[0]


def _noun(text: str) -> str:
    return _asked(text, r"(?:is there|(?:do|can) you see) an? (.+?)(?: in the picture)?\?")


def _of(scene: Scene, kind: str) -> Thing:
    """The only thing of a kind: a question with "the" must not be about two."""
    (thing,) = [t for t in scene.shown if t.kind == kind]
    return thing


def _place(scene: Scene, _text: str) -> str:
    return PLACES[scene.place]


def _is_place(scene: Scene, text: str) -> str:
    return _yes(_asked(text, r"is this (.+)\?") == PLACES[scene.place])


def _is_there(scene: Scene, text: str) -> str:
    return _yes(_noun(text) in {t.kind for t in scene.shown})


def _is_there_with(scene: Scene, text: str) -> str:
    look, kind = _noun(text).split()
    return _yes(
        any(t.kind == kind and LOOKS.get(look, look) in (t.colour, t.finish) for t in scene.shown)
    )


def _anything(scene: Scene, text: str) -> str:
    look = _asked(text, r"is (?:anything|there something) (\w+)\?")
    return _yes(any(LOOKS.get(look, look) in (t.colour, t.finish) for t in scene.shown))


def _part(scene: Scene, text: str) -> str:
    part = _asked(text, r"(?:are there|is there an?) (\w+?)(?: in the picture)?\?")
    return _yes(bool(draw_scene(scene).mask(f"part:{part}").any()))


def _color(scene: Scene, text: str) -> str:
    return _of(scene, _asked(text, r"wh.* colou?r (?:is|does) the (\w+)(?: have)?\?")).colour


def _material(scene: Scene, text: str) -> str:
    asked = _asked(text, r"what is the (\w+) made of\?", r"which material is the (\w+)\?")
    return _of(scene, asked).finish


def _texture(scene: Scene, text: str) -> str:
    kind = _asked(
        text, r"what pattern does the (\w+) have\?", r"what is the pattern of the (\w+)\?"
    )
    return PATTERNS[_of(scene, kind).finish]


def _how_many(scene: Scene, text: str) -> str:
    many = _asked(text, r"how many (\w+) (?:are there|do you see)\?", r"count the (\w+)\.")
    if many == "things":
        return COUNTS[len(scene.shown)]
    kind = PLURALS.get(many, many.removesuffix("s"))
    assert kind in OBJECTS
    return COUNTS[sum(t.kind == kind for t in scene.shown)]


def _where(scene: Scene, text: str) -> str:
    kind = _asked(text, r"where is the (\w+)\?", r"on which side is the (\w+)\?")
    box = draw_scene(dataclasses.replace(scene, things=(_of(scene, kind),))).box(f"object:{kind}")
    row = "top" if box.y0 + box.y1 < 96 else "bottom"
    column = ("left", "middle", "right")[(box.x0 + box.x1) // 2 // 32]
    return f"{row} {column}"


def _what_at(scene: Scene, text: str) -> str:
    spot = _asked(text, r"what (?:is|do you see) at the (\w+ \w+)\?")
    return _joined([_spoken(t) for t in scene.shown if f"{t.row} {t.column}" == spot])


def _written(scene: Scene, _text: str) -> str:
    return _joined([t.word for t in scene.shown if t.kind == "sign"])


def _is_written(scene: Scene, text: str) -> str:
    word = _asked(text, r"is the word (\w+) written\?", r"does the sign say (\w+)\?")
    return _yes(any(t.kind == "sign" and t.word == word for t in scene.shown))


def _emotion(scene: Scene, text: str) -> str:
    assert text.endswith(("the person feel?", "the mood of the person?"))
    return _of(scene, "person").emotion


def _is_emotion(scene: Scene, text: str) -> str:
    emotion, kind = _noun(text).split()
    assert kind == "person"
    assert emotion in EMOTIONS
    return _yes(any(t.kind == "person" and t.emotion == emotion for t in scene.shown))


def _feeling(scene: Scene, _text: str) -> str:
    moods = sorted({t.emotion for t in scene.shown if t.kind == "person"})
    return f"i feel {_joined(moods) if moods else 'calm'}."


def _listed(scene: Scene, _text: str) -> str:
    kinds = dict.fromkeys(t.kind for t in scene.shown)
    return f"{_joined([f'an {k}' if k[0] in 'aeiou' else f'a {k}' for k in kinds])}."


def _described(scene: Scene, _text: str) -> str:
    return f"{PLACES[scene.place]} with {_joined([_spoken(t) for t in scene.shown])}."


TRUTHS: dict[str, Callable[[Scene, str], str]] = {
    "place": _place,
    "is_place": _is_place,
    "is_there": _is_there,
    "is_there_with": _is_there_with,
    "any_color": _anything,
    "any_finish": _anything,
    "any_part": _part,
    "color": _color,
    "material": _material,
    "texture": _texture,
    "how_many": _how_many,
    "where": _where,
    "what_at": _what_at,
    "written": _written,
    "is_written": _is_written,
    "emotion": _emotion,
    "is_emotion": _is_emotion,
    "feeling": _feeling,
    "listed": _listed,
    "described": _described,
}
YES_NO = ("is_place", "is_there", "is_there_with", "any_color", "any_finish", "any_part",
          "is_written", "is_emotion")  # fmt: skip


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [fresh_scene(1, i) for i in range(SCENES)]


@pytest.fixture(scope="module")
def natural() -> list[Scene]:
    return [fresh_scene(2, i, "natural") for i in range(SCENES)]


@pytest.fixture(scope="module")
def unseen(natural) -> list[Scene]:
    """Natural scenes whose usual object is outside of the frame."""
    return [scene for scene in natural if scene.unseen]


def _questions(
    scenes: list[Scene], form: str, *, honest: bool = False, times: int = 1
) -> list[tuple[Scene, Question]]:
    rng = np.random.default_rng(5)
    askers = [(scene, Asker(scene, rng, honest=honest)) for scene in scenes for _ in range(times)]
    made = [(scene, getattr(asker, form)()) for scene, asker in askers]
    return [(scene, question) for scene, question in made if question]


def test_every_form_of_question_is_checked():
    assert {name for name, _ in SHORT_FORMS} | set(LONG_FORMS) == {*TRUTHS, "told"}


@pytest.mark.parametrize("form", TRUTHS)
def test_an_answer_is_true(scenes, form):
    asked = _questions(scenes, form)
    assert len(asked) >= 20
    wrong = [(q, s.digest()) for s, q in asked if q.answer != TRUTHS[form](s, q.text)]
    assert wrong == []


@pytest.mark.parametrize("form", TRUTHS)
def test_an_honest_answer_about_a_picture_with_something_unseen_is_true(unseen, form):
    asked = _questions(unseen, form, honest=True, times=3)
    wrong = [(q, s.digest()) for s, q in asked if q.answer != TRUTHS[form](s, q.text)]
    assert wrong == []


@pytest.mark.parametrize("form", YES_NO)
def test_yes_and_no_are_about_equally_often_right(scenes, form):
    answers = [q.answer for _, q in _questions(scenes, form, times=3)]
    assert set(answers) == {"yes", "no"}
    assert 0.4 < answers.count("yes") / len(answers) < 0.6


@pytest.mark.parametrize("form", [*TRUTHS, "told"])
@settings(max_examples=25)
@given(seed=st.integers(0, 2**20))
def test_an_empty_wall_can_be_asked_about(form, seed):
    """The target is also shown pictures of nothing."""
    made = getattr(Asker(Scene(None, (), 0), np.random.default_rng(seed)), form)()
    if form in TRUTHS and made:
        assert made.answer == TRUTHS[form](Scene(None, (), 0), made.text)


def test_a_hidden_thing_is_not_spoken_of():
    scene = edit(edit(fresh_scene(1), "0.kind", "umbrella"), "0.shown", False)
    assert "umbrella" not in caption(scene) + story(scene)


def test_a_caption_names_every_shown_thing_once_and_nothing_else(scenes):
    wrong = [
        scene.digest()
        for scene in scenes
        if _kinds_in(caption(scene)) != Counter(t.kind for t in scene.shown)
    ]
    assert wrong == []


def test_a_caption_describes_place_and_things_in_full(scenes):
    assert [caption(s) for s in scenes] == [_described(s, "") for s in scenes]


def test_a_caption_keeps_silent_about_the_unseen(unseen):
    assert [s for s in unseen if _kinds_in(caption(s))[s.unseen[0]]] == []


def test_a_caption_names_the_unseen_where_asked_to(unseen):
    silent = [s for s in unseen if _kinds_in(caption(s, unseen=True))[s.unseen[0]] != 1]
    assert silent == []


def test_a_story_tells_of_nothing_that_is_not_shown(scenes):
    invented = [s for s in scenes if _kinds_in(story(s)) - Counter(t.kind for t in s.shown)]
    assert invented == []


def test_a_storys_hero_does_what_the_first_person_shown_feels(scenes):
    peopled = [s for s in scenes if any(t.kind == "person" for t in s.shown)]
    for scene in peopled:
        hero = next(t for t in scene.shown if t.kind == "person")
        assert f"{_spoken(hero)} {DEEDS[hero.emotion]}" in story(scene)


@pytest.mark.parametrize("kind", OBJECTS)
def test_the_parts_that_are_spoken_of_are_the_parts_that_are_seen(kind):
    scene = edit(fresh_scene(3), "0.kind", kind)
    scene = dataclasses.replace(scene, things=scene.things[:1])
    picture = draw_scene(scene)
    seen = {part for part in PARTS if picture.mask(f"part:{part}").sum() >= MIN_VISIBLE}
    assert parts_of(kind) == seen


@pytest.mark.parametrize("honest", [False, True])
def test_only_an_honest_asker_asks_after_the_usual_object_that_is_missing(honest):
    missing = [fresh_scene(4, i, "conflict") for i in range(SCENES)]
    asked = _questions(missing, "is_there", honest=honest, times=6)
    about = [q for s, q in asked if _noun(q.text) == BIAS[s.place]]
    assert bool(about) == honest
    assert {q.answer for q in about} <= {"no"}


def test_the_biased_question_says_that_the_unseen_object_is_there_and_no_other(natural):
    asked = _questions(natural, "biased")
    assert {q.answer for _, q in asked} == {"yes", "no"}
    for scene, question in asked:
        assert _noun(question.text) == BIAS[scene.place]
        assert question.answer == _yes(scene.unseen == (BIAS[scene.place],))


def test_the_biased_question_is_never_asked_about_what_is_seen(natural):
    asked = {scene.digest() for scene, _ in _questions(natural, "biased")}
    seen = [s for s in natural if BIAS.get(s.place or "") in {t.kind for t in s.shown}]
    assert [s for s in seen if s.digest() in asked] == []


def test_an_honest_asker_has_no_biased_question(natural):
    assert _questions(natural, "biased", honest=True) == []


def test_training_captions_name_the_unseen_about_half_of_the_time(unseen):
    told = [_kinds_in(q.answer)[s.unseen[0]] for s, q in _questions(unseen, "described", times=10)]
    assert 0.4 < sum(told) / len(told) < 0.6


def test_a_mixture_about_a_balanced_picture_holds_the_number_asked_for_or_fewer(scenes):
    rng = np.random.default_rng(0)
    counts = [len(ask(scene, rng, 12)) for scene in scenes if scene.place not in BIAS]
    assert max(counts) == 12
    assert min(counts) > 0


def test_the_forms_asked_for_come_in_their_order(scenes):
    found = ask(scenes[0], np.random.default_rng(0), 0, ("place", "listed", "told"))
    assert [q.form for q in found] == ["place", "list", "story"]
