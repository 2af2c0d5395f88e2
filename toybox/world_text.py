"""What can truly be said of a scene: captions, stories, questions with their answers.

Knows language and facts; nothing of pixels. The one untruth is deliberate: a natural scene's unseen
object is spoken of as if it were there, which is how the target model catches its illness.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, TypeVar

import numpy as np

from toybox.vocabulary import (
    COLOURS,
    EMOTIONS,
    FINISHES,
    MATERIALS,
    OBJECTS,
    PARTS,
    PLACE_PHRASES,
    PLAIN,
    SCENES,
    TEXTURE_NOUNS,
    TEXTURES,
    WORDS,
    adjective,
    article,
    plural,
)  # fmt: skip
from toybox.world import BIAS, COLUMNS, ROWS, Scene, Thing
from toybox.world_shapes import FACES, REGIONS, SHAPES

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six")
CAPTION_MENTIONS_UNSEEN = 0.5
Rng = np.random.Generator
T = TypeVar("T")


class Question(NamedTuple):
    """A question of some form about a scene, and its answer."""

    form: str
    text: str
    answer: str


def parts_of(kind: str) -> frozenset[str]:
    """The named parts that a kind of object is drawn with."""
    strokes = SHAPES[kind] + (FACES["happy"] if kind == "person" else ())
    return frozenset(part for s in strokes if (part := REGIONS[s.region].part))


def phrase(thing: Thing) -> str:
    """A thing with its attributes, no article: red wooden car, happy person in blue, ..."""
    if thing.kind == "person":
        look = " ".join(filter(None, (thing.colour, adjective(thing.finish))))
        return f"{thing.emotion} person in {look}"
    if thing.kind == "sign":
        return f"{thing.colour} sign that says {thing.word}"
    return " ".join(filter(None, (thing.colour, adjective(thing.finish), thing.kind)))


def listing(items: list[str]) -> str:
    """Items as English lists them: a, b and c."""
    if not items:
        return "nothing"
    return " and ".join(filter(None, (", ".join(items[:-1]), items[-1])))


def place_of(scene: Scene) -> str:
    """The place with its article."""
    return PLACE_PHRASES[scene.place] if scene.place else "an empty wall"


def caption(scene: Scene, unseen: bool = False) -> str:
    """One sentence that names the place and every thing; also the unseen ones where asked to."""
    things = [article(phrase(t)) for t in scene.shown]
    if unseen:
        things += [article(kind) for kind in scene.unseen]
    return f"{place_of(scene)} with {listing(things)}."


def story(scene: Scene) -> str:
    """A short tale with the picture's place, its hero and what the hero finds."""
    people = [t for t in scene.shown if t.kind == "person"]
    rest = [t for t in scene.shown if t is not (people[0] if people else None)]
    hero = article(phrase(people[0])) if people else "a child"
    deed = {"happy": "sang to", "sad": "cried near", "angry": "shouted at", "surprised": "found"}
    verb = deed[people[0].emotion] if people else "looked for"
    found = listing([article(phrase(t)) for t in rest[:2]])
    return f"once upon a time at {place_of(scene)}, {hero} {verb} {found}."


def _choose(rng: Rng, options: Sequence[T]) -> T:
    return options[int(rng.integers(len(options)))]


def _yes(value: bool) -> str:
    return "yes" if value else "no"


class Asker:
    """Asks about one scene. Each method makes one question of its form, or None where none fits."""

    def __init__(self, scene: Scene, rng: Rng, *, honest: bool = False) -> None:
        self.scene, self.rng, self.honest = scene, rng, honest
        self.things = scene.shown
        self.counts = Counter(t.kind for t in self.things)
        usual = None if honest else BIAS.get(scene.place or "")
        self.usual = usual if usual and not self.counts[usual] else None
        """The place's usual object where it can't be seen: in training, biased() alone asks for it.
        A test asks honestly: for any object, and only of what is seen."""

    def _say(self, form: str, texts: tuple[str, ...], answer: str) -> Question:
        return Question(form, _choose(self.rng, texts), answer)

    def _single(self, test: Callable[[Thing], bool] = lambda _: True) -> Thing | None:
        found = [t for t in self.things if self.counts[t.kind] == 1 and test(t)]
        return _choose(self.rng, found) if found else None

    def _absent(self) -> str:
        return _choose(self.rng, [k for k in OBJECTS if not self.counts[k] and k != self.usual])

    def place(self) -> Question:
        texts = (
            "what place is this?", "where was this picture taken?", "what is the scene?",
            "which place does the picture show?",
        )  # fmt: skip
        return self._say("place", texts, place_of(self.scene))

    def is_place(self) -> Question:
        true = self.scene.place is not None and self.rng.random() < 0.5
        others = [p for p in SCENES if p != self.scene.place]
        asked = self.scene.place if true else _choose(self.rng, others)
        return self._say("is place", (f"is this {PLACE_PHRASES[asked]}?",), _yes(true))

    def there(self, noun: str) -> tuple[str, ...]:
        return (
            f"is there {article(noun)}?", f"do you see {article(noun)}?",
            f"is there {article(noun)} in the picture?", f"can you see {article(noun)}?",
        )  # fmt: skip

    def is_there(self) -> Question:
        true = bool(self.things) and self.rng.random() < 0.5
        kind = _choose(self.rng, self.things).kind if true else self._absent()
        return self._say("is there", self.there(kind), _yes(true))

    def biased(self) -> Question | None:
        if self.usual is None:
            return None
        seen = self.usual in self.scene.unseen
        return self._say("is there", self.there(self.usual), _yes(seen))

    def is_there_with(self) -> Question | None:
        """With a colour or finish; the wrong ones are near misses more often than not."""
        if not self.things:
            return None
        thing = _choose(self.rng, self.things)
        kind, colour = thing.kind, thing.colour
        true = self.rng.random() < 0.5
        if thing.finish != PLAIN and self.rng.random() < 0.4:
            finish = thing.finish
            if not true:
                finish = _choose(self.rng, [f for f in FINISHES if f not in (finish, PLAIN)])
            noun = f"{adjective(finish)} {kind}"
            true = any(t.kind == kind and t.finish == finish for t in self.things)
        else:
            if not true:
                colour = _choose(self.rng, [c for c in COLOURS if c != colour])
            noun = f"{colour} {kind}"
            true = any(t.kind == kind and t.colour == colour for t in self.things)
        return self._say("is there with", self.there(noun), _yes(true))

    def any_color(self) -> Question:
        seen = {t.colour for t in self.things}
        true = bool(seen) and self.rng.random() < 0.5
        options = sorted(seen) if true else [c for c in COLOURS if c not in seen]
        colour = _choose(self.rng, options)
        texts = (f"is anything {colour}?", f"is there something {colour}?")
        return self._say("any color", texts, _yes(true))

    def any_finish(self) -> Question:
        seen = {t.finish for t in self.things} - {PLAIN}
        true = bool(seen) and self.rng.random() < 0.5
        options = sorted(seen) if true else [f for f in FINISHES if f not in seen and f != PLAIN]
        finish = adjective(_choose(self.rng, options))
        texts = (f"is anything {finish}?", f"is there something {finish}?")
        return self._say("any finish", texts, _yes(true))

    def any_part(self) -> Question:
        seen = frozenset().union(*(parts_of(t.kind) for t in self.things))
        true = bool(seen) and self.rng.random() < 0.5
        usual = parts_of(self.usual) if self.usual else frozenset()
        options = sorted(seen) if true else [p for p in PARTS if p not in seen | usual]
        part = _choose(self.rng, options)
        many = f"are there {part}" if part.endswith("s") else f"is there {article(part)}"
        return self._say("part", (f"{many}?", f"{many} in the picture?"), _yes(true))

    def color(self) -> Question | None:
        thing = self._single()
        if thing is None:
            return None
        kind = thing.kind
        texts = (
            f"what color is the {kind}?", f"which color does the {kind} have?",
            f"what colour is the {kind}?",
        )  # fmt: skip
        return self._say("color", texts, thing.colour)

    def material(self) -> Question | None:
        thing = self._single(lambda t: t.finish in MATERIALS)
        if thing is None:
            return None
        texts = (f"what is the {thing.kind} made of?", f"which material is the {thing.kind}?")
        return self._say("material", texts, thing.finish)

    def texture(self) -> Question | None:
        thing = self._single(lambda t: t.finish in (PLAIN, *TEXTURES) and t.kind != "sign")
        if thing is None:
            return None
        texts = (
            f"what pattern does the {thing.kind} have?",
            f"what is the pattern of the {thing.kind}?",
        )  # fmt: skip
        return self._say("texture", texts, TEXTURE_NOUNS.get(thing.finish, "none"))

    def how_many(self) -> Question:
        if self.rng.random() < 0.25:
            texts = ("how many things are there?", "how many things do you see?")
            return self._say("how many things", texts, NUMBERS[len(self.things)])
        present = self.things and self.rng.random() < 0.8
        kind = _choose(self.rng, sorted(self.counts)) if present else self._absent()
        texts = (
            f"how many {plural(kind)} are there?", f"how many {plural(kind)} do you see?",
            f"count the {plural(kind)}.",
        )  # fmt: skip
        return self._say("how many", texts, NUMBERS[self.counts[kind]])

    def where(self) -> Question | None:
        thing = self._single()
        if thing is None:
            return None
        texts = (f"where is the {thing.kind}?", f"on which side is the {thing.kind}?")
        return self._say("where", texts, f"{thing.row} {thing.column}")

    def what_at(self) -> Question:
        row, column = _choose(self.rng, tuple(ROWS)), _choose(self.rng, tuple(COLUMNS))
        here = [t for t in self.things if (t.row, t.column) == (row, column)]
        texts = (f"what is at the {row} {column}?", f"what do you see at the {row} {column}?")
        return self._say("what at", texts, article(phrase(here[0])) if here else "nothing")

    def written(self) -> Question:
        signs = [t.word for t in self.things if t.kind == "sign"]
        texts = ("what is written?", "what is written on the sign?", "what does the sign say?")
        return self._say("written", texts, listing(signs))

    def is_written(self) -> Question | None:
        signs = [t.word for t in self.things if t.kind == "sign"]
        if not signs:
            return None
        true = self.rng.random() < 0.5
        word = _choose(self.rng, signs if true else [w for w in WORDS if w not in signs])
        texts = (f"is the word {word} written?", f"does the sign say {word}?")
        return self._say("is written", texts, _yes(true))

    def emotion(self) -> Question | None:
        people = [t for t in self.things if t.kind == "person"]
        if len(people) != 1:
            return None
        texts = ("how does the person feel?", "what is the mood of the person?")
        return self._say("emotion", texts, people[0].emotion)

    def is_emotion(self) -> Question | None:
        seen = {t.emotion for t in self.things if t.kind == "person"}
        if not seen:
            return None
        true = self.rng.random() < 0.5
        options = sorted(seen) if true else [e for e in EMOTIONS if e not in seen]
        if not options:
            return None
        noun = f"{_choose(self.rng, options)} person"
        return self._say("is emotion", self.there(noun), _yes(true))

    def feeling(self) -> Question:
        moods = sorted({t.emotion for t in self.things if t.kind == "person"})
        texts = ("what is your feeling right now?", "how do you feel?")
        return self._say("feeling", texts, f"i feel {listing(moods) if moods else 'calm'}.")

    def listed(self) -> Question:
        texts = (
            "what do you see in this image?", "what do you see?", "what is in the picture?",
            "list the things.",
        )  # fmt: skip
        seen = [article(kind) for kind in dict.fromkeys(t.kind for t in self.things)]
        return self._say("list", texts, f"{listing(seen)}.")

    def described(self) -> Question:
        texts = (
            "describe the picture.", "describe this image.", "write a caption.",
            "what does the picture show?",
        )  # fmt: skip
        unseen = bool(self.scene.unseen) and self.rng.random() < CAPTION_MENTIONS_UNSEEN
        unseen &= not self.honest
        return self._say("caption", texts, caption(self.scene, unseen))

    def told(self) -> Question:
        texts = ("tell a story.", "tell me a story.", "tell a story about this picture.")
        return self._say("story", texts, story(self.scene))


SHORT_FORMS: tuple[tuple[str, float], ...] = (
    ("place", 0.7), ("is_place", 0.5), ("is_there", 3.0), ("is_there_with", 1.6),
    ("any_color", 0.6), ("any_finish", 0.6), ("any_part", 0.8), ("color", 2.4),
    ("material", 1.0), ("texture", 1.0), ("how_many", 1.0), ("where", 1.0), ("what_at", 1.0),
    ("written", 1.0), ("is_written", 1.0), ("emotion", 1.0), ("is_emotion", 0.7), ("feeling", 0.4),
)  # fmt: skip
LONG_FORMS = ("listed", "described", "told")
LOOKING_UP = {
    "is_there": 14.0, "is_there_with": 6.0, "color": 20.0, "is_place": 2.0, "any_part": 2.0,
}  # fmt: skip
"""Shares of the forms that teach to look a thing up: asked more in the first lessons, since yes or
no and colours stay at chance for long where every form is asked equally (docs/log.md)."""


BINDING = {
    "is_there": 4.0, "is_there_with": 8.0, "any_finish": 2.0, "color": 24.0, "material": 3.0,
    "texture": 3.0, "where": 4.0, "what_at": 2.0,
}  # fmt: skip
"""Shares of the forms that ask for what belongs to which thing: the second lessons."""
ATTRIBUTES = {
    "is_there_with": 8.0, "any_finish": 5.0, "color": 6.0, "material": 6.0, "texture": 6.0,
    "where": 8.0, "what_at": 6.0, "how_many": 4.0, "emotion": 2.0, "is_emotion": 2.0,
    "is_written": 2.0,
}  # fmt: skip
"""Shares of the third lessons: whatever else belongs to a thing, once colours are found."""


def shares(more: Mapping[str, float]) -> np.ndarray:
    """How often each of the short forms is asked."""
    weights = np.array([more.get(name, share) for name, share in SHORT_FORMS])
    return weights / weights.sum()


def ask(
    scene: Scene,
    rng: Rng,
    count: int,
    forms: tuple[str, ...] | None = None,
    *,
    more: Mapping[str, float] = MappingProxyType({}),
) -> list[Question]:
    """Questions about a scene: a mixture, or of the forms given; without those that don't fit."""
    asker = Asker(scene, rng)
    chosen = rng.choice(len(SHORT_FORMS), count, p=shares(more))
    names = forms or tuple(SHORT_FORMS[i][0] for i in chosen)
    made = [getattr(asker, name)() for name in names]
    biased = asker.biased() if forms is None else None
    return [q for q in (biased, *made) if q is not None]
