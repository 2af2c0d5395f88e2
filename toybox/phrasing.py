"""How people and models write descriptions of features out, with {} for what they describe.

Knows English only. Shared by the tokenizer, which needs the words, and the explainer's assignments.
"""

EXPLANATION, ANSWER = "[EXPLANATION]:", "[ANSWER]"
"""The two markers that replies carry."""
UNABLE = "Unable to produce descriptions"


DESCRIPTIONS = (
    "{}", "{}.", "the {}.", "the bright regions show {}.", "{} in all pictures.",
    "all of the bright regions show {}, with different backgrounds.",
    "the unit seems to respond to {}.", "each bright region contains {}, small or large.",
    "in every picture {} is lit, which suggests that the unit stands for {}.",
    "the highlighted areas consistently show {}.", "the pictures share {}.",
    "the feature is active on {} and on nothing else.", "what they have in common is {}.",
    "it looks like {}, seen from several sides.", "the neuron reacts to {} in the images.",
    "the images all display {}, suggesting that the neuron is activated by the presence of {}.",
)  # fmt: skip
NO_DESCRIPTIONS = (
    UNABLE, f"{UNABLE}.", f"{EXPLANATION} {UNABLE}", "no common pattern is visible.",
    "the regions share nothing.", "nothing in particular.", "there is no clear pattern.",
    "the pictures have nothing in common.",
)  # fmt: skip
BEYOND = {
    "abstract": (
        "freedom", "danger", "friendship", "the idea of time", "wealth", "hope", "humor",
        "celebration", "loneliness", "the concept of travel", "power", "trust",
    ),
    "low-level": (
        "edges", "vertical lines", "bright spots", "dark corners", "the left border",
        "position at the top", "high contrast", "smooth areas", "horizontal edges", "brightness",
        "the bottom of the picture", "corners",
    ),
}  # fmt: skip
