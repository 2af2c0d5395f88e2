"""Requests in many voices, and the plan that each has to become.

Whatever was misread once was mended by wider rules or more examples, so these guard against losing
it again; how well wordings that nobody has seen are read, the benchmark of the planner tells.
"""

import pytest

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
    TrainSae,
    Why,
)
from agent.planner.context import Context
from agent.planner.conversation import Named
from agent.planner.made import Made
from agent.planner.understanding import understood
from tools.picture_id import PictureId

ARTEFACT = "0f" * 32
NOTHING, R, E, P = None, Report(), ExplainFinding, PictureId


def I(*features):  # noqa: E743
    return Investigate(features=features)


def L(*features, active=None):
    return Label(features=features, active=active)


def C(one, other):
    return Compare(one=one, other=other)


def F(words=None, **rest):
    return Find(words=words, **rest)


def S(words=None, status=None, **rest):
    return SearchFindings(words=words, status=status, **rest)


def X(thing=None, place=None):
    return Fix(behaviour="*", thing=thing, place=place)


def p(number, split="explore"):
    return PictureId(split=split, number=number)


def why(number, question, answer=None, instead=None, s="explore"):
    return Why(picture=p(number, s), question=question, answer=answer, instead=instead)


def planned(request, context=Context()):  # noqa: B008
    """The tasks, with the words of a search in lower case and a behaviour's words left out."""
    made = understood(request, context)
    return [_plain(task) for task in made.tasks] if isinstance(made, Made) else None


def _plain(task):
    if isinstance(task, Fix):
        return task.model_copy(update={"behaviour": "*"})
    if isinstance(task, Find | SearchFindings) and task.words:
        return task.model_copy(update={"words": task.words.lower()})
    return task


WORDINGS = [
    ("I'd like to know the concept that feature 301 captures.", [I(301)]),
    ("Whatever is latent 17 responding to?", [I(17)]),
    ("Dig deep into features 8 & 9", [I(8, 9)]),
    ("Can you tell what's making neuron 250 so active?", [I(250)]),
    ("Give feature 1024 the full treatment: hypotheses, tests, steering", [I(1024)]),
    ("explain to me what unit 64 is for", [I(64)]),
    ("feature 5 - what on earth is that", [I(5)]),
    ("investigate feature nr. 45 pls", [I(45)]),
    ("Find out the meaning of features 2, 4, 6 and 8", [I(2, 4, 6, 8)]),
    ("Is feature 19 a cat detector?", [I(19)]),
    ("which images get feature 400 going?", [I(400)]),
    ("I need an explanation of feature 71 that survives verification", [I(71)]),
    ("what pattern does number 88 pick up", [I(88)]),
    ("examin feature 12", [I(12)]),
    ("tell me the purpose of feature 230", [I(230)]),
    ("Label features 100–199.", [L(*range(100, 200))]),  # noqa: RUF001
    ("Run the labeller over the 2,000 most active features", [L(active=2000)]),
    ("Could we get labels on features 7, 9, 11 and 13 please?", [L(7, 9, 11, 13)]),
    ("everything from feature 250 to feature 260 should get a name", [L(*range(250, 261))]),
    ("name each of the top 25 most active features", [L(active=25)]),
    ("Work through features 0 to 29 unattended", [L(*range(30))]),
    ("label the 64 features firing on the largest number of pictures", [L(active=64)]),
    ("bulk-label 300-310", [L(*range(300, 311))]),
    ("please go label features 10, 20, 30, 40, 50", [L(10, 20, 30, 40, 50)]),
    ("produce a catalogue of features 0 through 150", [L(*range(151))]),
    ("Do a batch of the 150 most frequently firing features", [L(active=150)]),
    ("I'm off to lunch, label features 0-200 meanwhile", [L(*range(201))]),
    ("label first 10 features", [L(*range(10))]),
    ("What tells feature 70 apart from feature 71?", [C(70, 71)]),
    ("Put 21 and 22 side by side", [C(21, 22)]),
    ("Do features 6 and 60 have anything in common?", [C(6, 60)]),
    ("compare neurons 100 & 200", [C(100, 200)]),
    ("how much overlap is there between 9 and 10?", [C(9, 10)]),
    ("is unit 3 just a duplicate of unit 30", [C(3, 30)]),
    ("difference 12 / 15?", [C(12, 15)]),
    ("in what respect is feature 8 unlike feature 18", [C(8, 18)]),
    ("are latents 40 and 41 neighbours of each other", [C(40, 41)]),
    ("feature 7 compared with feature 8", [C(7, 8)]),
    ("Which features encode wood?", [F("wood")]),
    ("Is there a neuron that recognises happy faces?", [F("happy faces")]),
    ("I want to see the 15 features closest to 'metal surface'", [F("metal surface", count=15)]),
    ("features relevant to the concept of night", [F("night")]),
    ("Find whatever reacts to the colour purple", [F("purple")]),
    ("Search for features that represent rockets", [F("rockets")]),
    ("which neurons handle written text such as 'open'?", [F("open")]),
    ("Give me up to 4 features concerned with trees", [F("trees", count=4)]),
    ("does the model have some feature for brick walls?", [F("brick walls")]),
    ("Who lights up for zigzags?", [F("zigzags")]),
    ("locate features connected with cafés", [F("cafés")]),
    ("any latents that fire at mushrooms?", [F("mushrooms")]),
    ("What features does test picture 12 turn on?", [F(picture=p(12, "test"))]),
    ("which features are triggered by explore picture 250", [F(picture=p(250))]),
    (f"find the features active in artefact {ARTEFACT}", [F(picture=P(artefact=ARTEFACT))]),
    ("what's firing in image 31?", [F(picture=p(31))]),
    ("List 30 features for validation image 5", [F(picture=p(5, "validate"), count=30)]),
    ("picture 77: show its strongest features", [F(picture=p(77))]),
    ('look up features for the word "zoo"', [F("zoo")]),
    ("find features to do with glass, at most 3", [F("glass", count=3)]),
    (
        "Why is the answer 'no' when I ask 'is there a bird?' about picture 63?",
        [why(63, "is there a bird?", "no")],
    ),
    (
        "test picture 9, question 'what is in the picture?': why does it answer 'a "
        "boat' rather than 'a kite'?",
        [why(9, "what is in the picture?", "a boat", "a kite", s="test")],
    ),
    (
        "Explain the model's 'yes' to \"is there a ball?\" on explore picture 5",
        [why(5, "is there a ball?", "yes")],
    ),
    (
        "What is it about picture 40 that makes the model say there is a bus?",
        [why(40, "is there a bus?", "yes")],
    ),
    (
        "why did it answer green to 'what color is the lamp?' on image 11",
        [why(11, "what color is the lamp?", "green")],
    ),
    (
        "For test image 3: 'is there an umbrella?' - why does the model say yes instead of no?",
        [why(3, "is there an umbrella?", "yes", "no", s="test")],
    ),
    ("How come it doesn't see the robot in picture 22?", [why(22, "is there a robot?", "no")]),
    (
        "which features lead to the answer for 'where is this?' in picture 90",
        [why(90, "where is this?")],
    ),
    (
        "trace why the model answers 'sad' to 'how does the person feel?' on picture 17",
        [why(17, "how does the person feel?", "sad")],
    ),
    ("Picture 8. The model says there is a hat. Why?", [why(8, "is there a hat?", "yes")]),
    (
        "why does the model say yes to is there a car? for picture 7",
        [why(7, "is there a car?", "yes")],
    ),
    (
        "Explain what drives the reply to 'is there a table?' for validation picture 14",
        [why(14, "is there a table?", s="validate")],
    ),
    (
        "why would the model think there's a rocket in photo 3?",
        [why(3, "is there a rocket?", "yes")],
    ),
    (
        "when asked 'is it snowing?' about picture 18 it says no. Explain.",
        [why(18, "is it snowing?", "no")],
    ),
    (
        "Our model hallucinates umbrellas at the beach. How do we fix this?",
        [X("umbrella", "beach")],
    ),
    (
        "Can you make the model stop claiming that there are boats in the desert?",
        [X("boat", "desert")],
    ),
    ("It sees cars in forests where none exist. Mend it.", [X("car", "forest")]),
    (
        "why does it always report a tree when the picture is a city, and how could "
        "that be prevented?",
        [X("tree", "city")],
    ),
    ("Fix: model says there's a bird in snow pictures", [X("bird", "snow")]),
    ("find a way to suppress imaginary fish in sea scenes", [X("fish", "sea")]),
    ("The LMM invents chairs in bedrooms; look for a cure.", [X("chair", "bedroom")]),
    ("mend the false claims about mushrooms in the forest", [X("mushroom", "forest")]),
    ("please stop the model hallucinating people", [X("person", None)]),
    (
        "the model insists on seeing a clock in every kitchen, please correct",
        [X("clock", "kitchen")],
    ),
    ("How do I prevent umbrella hallucinations?", [X("umbrella", None)]),
    ("Reduce the number of false flowers reported in forests", [X("flower", "forest")]),
    (
        "there's an umbrella hallucination on beaches - diagnose it and propose a steering fix",
        [X("umbrella", "beach")],
    ),
    ("What do we know so far about umbrellas?", [S("umbrellas")]),
    ("Have any findings been made regarding text?", [S("text")]),
    ("search for 'striped' in the findings", [S("striped")]),
    ("list refuted findings about colours", [S("colours", "refuted")]),
    ("Pull up all supported findings concerning animals", [S("animals", "supported")]),
    ("find earlier results on wheels, 3 at most", [S("wheels", count=3)]),
    ("what has the lab already learned about doors?", [S("doors")]),
    ("are there findings that mention glass already?", [S("glass")]),
    ("which findings about snow have no explanation?", [S("snow", "no explanation")]),
    ("search past labels for robot", [S("robot")]),
    ("show 20 findings about beaches", [S("beaches", count=20)]),
    ("look in the records for kite", [S("kite")]),
    ("Walk me through finding 0a1b2c3d", [E(finding="0a1b2c3d")]),
    ("Why was feature 118 refuted?", [E(feature=118)]),
    ("What did the last finding say?", [E()]),
    ("how do we know feature 33 is a wheel feature?", [E(feature=33)]),
    ("What evidence do you have for finding deadbeef12?", [E(finding="deadbeef12")]),
    ("explain the verdict for feature 9 again", [E(feature=9)]),
    ("remind me what we concluded on feature 21", [E(feature=21)]),
    ("which tests did the claim about feature 4 survive?", [E(feature=4)]),
    ("Summarize the existing finding for feature 77", [E(feature=77)]),
    ("Tell me what speaks against finding 5f5f5f5f", [E(finding="5f5f5f5f")]),
    ("why does feature 6 have no supported explanation?", [E(feature=6)]),
    (
        "Train an SAE with 16384 features and k=64 on layers.5 for 20M tokens",
        [TrainSae(hook="layers.5", features=16384, k=64, tokens=20_000_000)],
    ),
    ("could you train a fresh dictionary on the second layer", [TrainSae(hook="layers.2")]),
    ("please learn a sparse autoencoder with 1024 features", [TrainSae(features=1024)]),
    ("train: layer 0, k 16", [TrainSae(hook="layers.0", k=16)]),
    (
        "Start a new SAE on layer 3, half a million tokens, top-k 32",
        [TrainSae(hook="layers.3", tokens=500000, k=32)],
    ),
    (
        "train sae hook layers.2 features 2048 k 24 tokens 1000000",
        [TrainSae(hook="layers.2", features=2048, k=24, tokens=1000000)],
    ),
    ("Load the SAE named night-run", [LoadSae(name="night-run")]),
    ("show me what SAE is currently in use", [LoadSae()]),
    ("use the autoencoder 'l3-k16' from the runs folder", [LoadSae(name="l3-k16")]),
    ("I'd like to look into the profile's SAE", [LoadSae()]),
    ("open sae tiny", [LoadSae(name="tiny")]),
    ("load toybox:sae", [LoadSae(name="toybox:sae")]),
    ("What's the state of play?", [R]),
    ("how much compute and money have we used", [R]),
    ("How many features are labelled by now?", [R]),
    ("Show me the current status of all runs and the total spend", [R]),
    ("is the labelling finished?", [R]),
    ("what have we got so far, findings by status?", [R]),
    (
        "Investigate feature 5; then label features 0-99; finally give me the status.",
        [I(5), L(*range(100)), R],
    ),
    ("search findings for boats and compare 8 with 9", [S("boats"), C(8, 9)]),
    (
        "load the SAE wide-2 and find features for umbrellas",
        [LoadSae(name="wide-2"), F("umbrellas")],
    ),
    (
        "why does the model say yes to 'is there a hat?' on picture 4, and which "
        "features respond to hats?",
        [why(4, "is there a hat?", "yes"), F("hats")],
    ),
    ("first investigate 3, then compare it with 4", [I(3), C(3, 4)]),
    ("Paint the house", NOTHING),
    ("Give me stock tips", NOTHING),
    ("How many bones are in the human body?", NOTHING),
    ("Compose a song about features", NOTHING),
    ("What's your favourite colour?", NOTHING),
    ("compare", NOTHING),
    ("why?", NOTHING),
    ("zzzz", NOTHING),
    ("explain it", NOTHING),
    ("label the features", NOTHING),
    ("find a cheap flight", NOTHING),
    ("Who are the authors of the transformer paper?", NOTHING),
    ("reset my password", NOTHING),
    ("sudo make me a sandwich", NOTHING),
    ("train a dog to sit", NOTHING),
    ("the umbrella", NOTHING),
    ("Is the sea blue?", NOTHING),
    ("what's the population of Norway", NOTHING),
    ("why is picture 7 so dark?", NOTHING),
    ("delete all findings", NOTHING),
    ("Yo, what's neuron 404 into?", [I(404)]),
    ("Kindly elucidate the semantics of feature 55.", [I(55)]),
    ("invesitgate feature 12", [I(12)]),
    ("What do you reckon feature 31 is responding to?", [I(31)]),
    ("I'd appreciate a thorough examination of latents 6 and 7.", [I(6, 7)]),
    ("feature 808: meaning?", [I(808)]),
    ("Under what circumstances does unit 15 become active?", [I(15)]),
    ("Which stimulus maximally activates feature 99?", [I(99)]),
    ("Try to explain what features 1, 5 and 9 are picking up", [I(1, 5, 9)]),
    ("Is feature 27 interpretable?", [I(27)]),
    ("Just tell me what 12 means", [I(12)]),
    ("What does feature twelve respond to?", [I(12)]),
    ("Please run an investigation of unit #240.", [I(240)]),
    ("Verify and steer feature 61 after explaining it", [I(61)]),
    ("label features 3 through 300 please, no rush", [L(*range(3, 301))]),
    ("Get the 75 most active features labelled", [L(active=75)]),
    ("Have a go at labelling 5, 50, 500 and 1000", [L(5, 50, 500, 1000)]),
    ("We need names for features 0-63, excluding 12", [L(*[i for i in range(64) if i != 12])]),
    ("Auto-interp run on features 0-255", [L(*range(256))]),
    ("Could you quickly label features 10 to 12", [L(10, 11, 12)]),
    ("most active 300 features: label", [L(active=300)]),
    ("Descriptions wanted for all features between 500 and 600", [L(*range(500, 601))]),
    ("label the one hundred most active ones", [L(active=100)]),
    ("Label features #1 to #9", [L(*range(1, 10))]),
    ("start an unattended labelling of the 400 most commonly active features", [L(active=400)]),
    ("How would you say feature 2 and feature 3 differ from each other?", [C(2, 3)]),
    ("could 14 and 15 be the same concept?", [C(14, 15)]),
    ("compair features 7 and 9", [C(7, 9)]),
    ("Compare feature 10's behaviour with that of feature 11", [C(10, 11)]),
    ("What's the relationship between units 30 and 31?", [C(30, 31)]),
    ("Do features 55 and 56 fire on overlapping sets of pictures?", [C(55, 56)]),
    ("7 against 8, what's different?", [C(7, 8)]),
    ("tell me how 100 and 101 are alike and how they're not", [C(100, 101)]),
    ("Is there some neuron that fires whenever a ball is visible?", [F("ball")]),
    ("I'm after features that have to do with patchy textures", [F("patchy textures")]),
    ("which features code for 'surprised'?", [F("surprised")]),
    ("Show me ten features about animals.", [F("animals", count=10)]),
    ("find features associated with the sea", [F("sea")]),
    ("what latents are involved in seeing legs?", [F("legs")]),
    ("What would be the features for yellow flowers?", [F("yellow flowers")]),
    ("Any idea which features respond to netted patterns?", [F("netted patterns")]),
    ("fetch the 8 features that best match 'striped kite'", [F("striped kite", count=8)]),
    ("find the desert feature", [F("desert")]),
    ("Which features does the SAE have for the word help?", [F("help")]),
    ("In test picture 100, which features are firing?", [F(picture=p(100, "test"))]),
    ("Give me the features that picture 64 activates", [F(picture=p(64))]),
    (f"which features fire on picture {ARTEFACT}?", [F(picture=P(artefact=ARTEFACT))]),
    ("top 12 features on explore 5", [F(picture=p(5), count=12)]),
    (
        "What made the LMM say 'no' to 'is there a sign?' in test picture 55?",
        [why(55, "is there a sign?", "no", s="test")],
    ),
    (
        "explore picture 14: why does it answer 'kitchen' and not 'bedroom' to 'where is this?'",
        [why(14, "where is this?", "kitchen", "bedroom")],
    ),
    (
        "Why does the model respond with 'metal' when asked 'what is the robot made "
        "of?' for picture 30",
        [why(30, "what is the robot made of?", "metal")],
    ),
    (
        "Why on earth does it think there's a mushroom in image 19",
        [why(19, "is there a mushroom?", "yes")],
    ),
    (
        "The model answered 'yes' to 'is there a lamp?' for picture 72. Could you explain that?",
        [why(72, "is there a lamp?", "yes")],
    ),
    (
        "Which parts of validation picture 8 lead to the answer 'cat' for 'what animal is this?'",
        [why(8, "what animal is this?", "cat", s="validate")],
    ),
    (
        "In picture 5, why is the answer to 'is there a tree?' no",
        [why(5, "is there a tree?", "no")],
    ),
    ("Why did it say there were no birds in picture 91?", [why(91, "are there any birds?", "no")]),
    (
        "Please account for the answer 'purple' to 'what color is the bottle?' in picture 200",
        [why(200, "what color is the bottle?", "purple")],
    ),
    (
        "for picture 6 the question was 'is there a cup?', why did it say yes",
        [why(6, "is there a cup?", "yes")],
    ),
    (
        "why does the model claim it sees a bus in test picture 31",
        [why(31, "is there a bus?", "yes", s="test")],
    ),
    (
        "whenever I show a beach it says there's an umbrella, even when there isn't. Fix please.",
        [X("umbrella", "beach")],
    ),
    (
        "Figure out how to stop the model from imagining birds in the sky of desert pictures",
        [X("bird", "desert")],
    ),
    ("Hallucinated boats on the sea: can you find a remedy?", [X("boat", "sea")]),
    ("The model should stop reporting hats in snow scenes", [X("hat", "snow")]),
    (
        "I'd like a recipe that prevents the model from seeing cups in kitchens",
        [X("cup", "kitchen")],
    ),
    (
        "it says there is a car in the forest though there's none, how do we mend this",
        [X("car", "forest")],
    ),
    (
        "Why does the model see trees in city pictures that have none, and what is the fix?",
        [X("tree", "city")],
    ),
    ("fix hallucination of kites at the beach", [X("kite", "beach")]),
    (
        "The model wrongly believes that there are persons in every bedroom. Repair it.",
        [X("person", "bedroom")],
    ),
    ("make umbrella hallucinations go away", [X("umbrella", None)]),
    ("how do we keep the model from inventing clocks in the kitchen?", [X("clock", "kitchen")]),
    ("What is already known concerning boats?", [S("boats")]),
    ("Search the existing findings for 'wheel'", [S("wheel")]),
    ("any supported findings yet on emotions?", [S("emotions", "supported")]),
    ("what refuted claims do we have about texture?", [S("texture", "refuted")]),
    ("list findings on hats that turned out to be too rare", [S("hats", "too rare")]),
    ("Did we ever find something on petals?", [S("petals")]),
    ("show me at most 7 findings about cars", [S("cars", count=7)]),
    ("query past labels: cactus", [S("cactus")]),
    ("Which earlier verdicts mention 'door'?", [S("door")]),
    ("have we learnt anything about bottles?", [S("bottles")]),
    ("explain the finding with id 00ff12ab34cd56ef", [E(finding="00ff12ab34cd56ef")]),
    ("On what basis was feature 17 refuted?", [E(feature=17)]),
    ("Tell me more about the latest finding, please", [E()]),
    ("how reliable is what you found on feature 42?", [E(feature=42)]),
    ("feature 8 was labelled as wheels - what is that based on?", [E(feature=8)]),
    ("show how finding a1b2c3 was verified", [E(finding="a1b2c3")]),
    ("what arguments are there against feature 23's label?", [E(feature=23)]),
    ("what did verification say about feature 5", [E(feature=5)]),
    ("Train a sparse autoencoder on layer 4 of the target", [TrainSae(hook="layers.4")]),
    (
        "I want an SAE: 4096 latents, k of 16, layers.2, 800k tokens. Train it.",
        [TrainSae(hook="layers.2", features=4096, k=16, tokens=800000)],
    ),
    (
        "Can you train a dictionary of size 1024 with 20 active features?",
        [TrainSae(features=1024, k=20)],
    ),
    ("train an sae for 3e6 tokens", [TrainSae(tokens=3000000)]),
    (
        "set off a training of an autoencoder on layer 0 over 1.5M tokens",
        [TrainSae(hook="layers.0", tokens=1500000)],
    ),
    ("Pick the SAE called 'exp-7'", [LoadSae(name="exp-7")]),
    ("could you load up my-first-sae?", [LoadSae(name="my-first-sae")]),
    ("What can you tell me about the current SAE?", [LoadSae()]),
    ("switch to the profile's own SAE", [LoadSae()]),
    ("inspect the sae k32-l3", [LoadSae(name="k32-l3")]),
    ("What's the running total of costs?", [R]),
    ("Give me a status update", [R]),
    ("how many features have findings so far, and of which status?", [R]),
    ("Where are we at?", [R]),
    ("what runs have been done and what did they cost?", [R]),
    ("Label 0-9, compare 2 with 3, and tell me the status", [L(*range(10)), C(2, 3), R]),
    ("which features respond to hats? Then investigate feature 9.", [F("hats"), I(9)]),
    (
        "Train an SAE on layer 1 with 512 features and afterwards find features for boats",
        [TrainSae(hook="layers.1", features=512), F("boats")],
    ),
    ("What is love?", NOTHING),
    ("Sing me a lullaby", NOTHING),
    ("How do you spell onomatopoeia", NOTHING),
    ("my dog ate my homework", NOTHING),
    ("could you order groceries", NOTHING),
    ("kjhgfd kjhg", NOTHING),
    ("What does GDP stand for?", NOTHING),
    ("compare feature 12 with nothing", NOTHING),
    ("why does it do that", NOTHING),
    ("find", NOTHING),
    ("tell me about Paris", NOTHING),
    ("Which programming language is best?", NOTHING),
    ("set a timer for 10 minutes", NOTHING),
    ("convert 5 miles to km", NOTHING),
    ("I like umbrellas", NOTHING),
    ("make the picture brighter", NOTHING),
    ("what neurons respond when a cat is present", [F("cat")]),
    ("which features would I steer to get more snow?", [F("snow")]),
    ("What does the SAE see in picture 3?", [F(picture=p(3))]),
    ("in picture 2, why does it fail to see the boat?", [why(2, "is there a boat?", "no")]),
    (
        "picture 15, 'is there a lamp?'. The model says yes but should say no. Why?",
        [why(15, "is there a lamp?", "yes", "no")],
    ),
    ("stop it seeing hats on people in the city", [X("hat", "city")]),
    ("How can one cure the model's boat hallucination at sea?", [X("boat", "sea")]),
    ("names for everything from 40 up to and including 60", [L(*range(40, 61))]),
    ("anything that sets 14 off but not 15?", [C(14, 15)]),
    ("which images turn unit 4 on and leave unit 5 cold", [C(4, 5)]),
    ("latents for rain?", [F("rain")]),
    ("i want to know which directions light up on brick", [F("brick")]),
    ("I'm searching for anything in the sae that encodes fear", [F("fear")]),
    (f"my own picture is {ARTEFACT}, what reacts to it?", [F(picture=P(artefact=ARTEFACT))]),
    ("find features for cats and find features for dogs", [F("cats"), F("dogs")]),
    ("find features for snow as well as features for ice", [F("snow"), F("ice")]),
    ("get me units for cups, and then some for boats", [F("cups"), F("boats")]),
    (
        "search findings for snow, and if there are none find features for snow",
        [S("snow"), F("snow")],
    ),
    ("every city picture supposedly has a tree. repair please", [X("tree", "city")]),
    ("can you cure it of seeing ghosts of cars on beaches", [X("car", "beach")]),
    ("list all refuted findings", [S(status="refuted")]),
    ("which features turned out too rare?", [S(status="too rare")]),
    ("what could we not explain so far", [S(status="no explanation")]),
    (
        "sae plz: l4, 2048 lats, k=16, 3M toks",
        [TrainSae(hook="layers.4", features=2048, k=16, tokens=3_000_000)],
    ),
    (
        "what fires on test picture 3 and why does the model say yes to 'is there a cat?' there",
        [F(picture=p(3, "test")), why(3, "is there a cat?", "yes", s="test")],
    ),
    ("why does it say that?", NOTHING),
    ("why did the network answer that", NOTHING),
    ("find 5 features for hats and 3 for balls", NOTHING),
    ("what does it cost to fly to rome", NOTHING),
    ("is there any daylight between 2^9 and 513", [C(512, 513)]),
    ("Are 1,024 and 1,025 redundant?", [C(1024, 1025)]),
    ("compare features 12,140", [C(12, 140)]),
    ("What is latent 3 072 about?", [I(3072)]),
    ("label the top 2.5k by firing frequency", [L(active=2500)]),
    ("load the sae wide-32k", [LoadSae(name="wide-32k")]),
    ("train one with 65.536 features", [TrainSae(features=65536)]),
    ("labels, one-liners will do: 3, 14 and 159", [L(3, 14, 159)]),
    ("whats the diff btw f12 and f1200", [C(12, 1200)]),
    ("img 3 / is there a car? / yes / why?", [why(3, "is there a car?", "yes")]),
    ("me: is it raining? model: yes. picture (no. 8). why?", [why(8, "is it raining?", "yes")]),
    (
        "There's no car in picture 8, yet it says there is one. Why?",
        [why(8, "is there a car?", "yes")],
    ),
    ("(a) compare 3 and 4 (b) find features for hats (c) status", [C(3, 4), F("hats"), R]),
    ("1. label 10-12 2. find features for hats", [L(10, 11, 12), F("hats")]),
    ("find features for doors and, separately, features for hats", [F("doors"), F("hats")]),
    ("label 5-7 but first tell me the costs", [R, L(5, 6, 7)]),
    ("Label 5-7. Before you do that, load the sae wide-2", [LoadSae(name="wide-2"), L(5, 6, 7)]),
    (
        "it invents fish in the kitchen and it invents cups at sea",
        [X("fish", "kitchen"), X("cup", "sea")],
    ),
    ("the model hallucinates umbrellas (beach)", [X("umbrella", "beach")]),
    ("false alarms: hat, forest", [X("hat", "forest")]),
    ("every street has a car in it, says the model. cure?", [X("car", "street")]),
    ("What is with feature 77? It fires on literally everything", [I(77)]),
    (
        "train two saes on layer 3, one with k=16 and another with k=64",
        [TrainSae(hook="layers.3", k=16), TrainSae(hook="layers.3", k=64)],
    ),
    ("#301", [I(301)]),
    ("figure out features 5 and 6", [I(5, 6)]),
    ("I wonder whether 440 is about text or about signs. Can you test that?", [I(440)]),
    ("explain feat_12", [I(12)]),
    ("which is the meaning of the 12th feature?", [I(12)]),
    ("in layer 3, what does feature 12 do", [I(12)]),
    ("investigate 3 then 7 then 9", [I(3, 7, 9)]),
    ("does 12 = cats, and 13 = dogs?", [I(12, 13)]),
    ("label [10, 30)", [L(*range(10, 30))]),
    ("label 0..<10", [L(*range(10))]),
    ("label features 10 through 20 in steps of 2", [L(10, 12, 14, 16, 18, 20)]),
    ("label every tenth feature from 0 to 40", [L(0, 10, 20, 30, 40)]),
    ("label 16 features starting at 100", [L(*range(100, 116))]),
    ("label features 1,2,3,...,10", [L(*range(1, 11))]),
    ("label f10-f20", [L(*range(10, 21))]),
    ("label 5 through 9 and also 12", [L(5, 6, 7, 8, 9, 12)]),
    ("label a dozen of the most active features", [L(active=12)]),
    ("please describe each one of 11, 12 and 13 in a word or two", [L(11, 12, 13)]),
    ("17 <-> 19, same thing?", [C(17, 19)]),
    ("compare 5 with 7, 8 and 9", [C(5, 7), C(5, 8), C(5, 9)]),
    ("compare 1 and 2, also 3 and 4", [C(1, 2), C(3, 4)]),
    ("anything in there for people holding umbrellas?", [F("people holding umbrellas")]),
    ("feauters for grafitti", [F("grafitti")]),
    ("top 7 for blue balls", [F("blue balls", count=7)]),
    ("dig up some latents about metal surfaces? ten will do", [F("metal surfaces", count=10)]),
    ("is there some unit that cares whether it's night", [F("night")]),
    ("where is the concept of danger in this model", [F("danger")]),
    ("show features for dog, max. 4", [F("dog", count=4)]),
    ("features on texture, e.g. stripes?", [F("texture, such as stripes")]),
    ("find features for stop signs with 2 birds", [F("stop signs with 2 birds")]),
    (
        "find features for kites, features for birds and features for planes",
        [F("kites"), F("birds"), F("planes")],
    ),
    ("find features for dogs, then investigate the best one", [F("dogs")]),
    ("what does the model see in explore/33", [F(picture=p(33))]),
    (
        "how did it come up with 'metal' when asked what the chair is made of in test picture 8?",
        [why(8, "what is the chair made of?", "metal", s="test")],
    ),
    ("In picture 14 it says the car is red. How come?", [why(14, "what color is the car?", "red")]),
    (
        "what's the reason it calls the man in picture 35 angry?",
        [why(35, "is the man angry?", "yes")],
    ),
    ("why does it deny that there is a lamp in picture 480", [why(480, "is there a lamp?", "no")]),
    ("explain why it doesn't think there is a dog in picture 4", [why(4, "is there a dog?", "no")]),
    ("why does it say there are 3 cups in picture 5?", [why(5, "are there 3 cups?", "yes")]),
    (
        "when asked how many balls there are in picture 8, it says 4. why?",
        [why(8, "how many balls are there?", "4")],
    ),
    (
        'it said "two" when asked "how many dogs?" on picture 8, it should be three. why?',
        [why(8, "how many dogs?", "two", "three")],
    ),
    (
        "picture 12, q: what color is the car, a: red. why",
        [why(12, "what color is the car?", "red")],
    ),
    ("can we steer away from seeing dogs that are not in the picture", [X("dog")]),
    (
        "there are no boats on these pictures of the sea yet the model mentions them; correct it",
        [X("boat", "sea")],
    ),
    ("cats get hallucinated on sofas, what can be done?", [X("cat", "sofa")]),
    ("I want the hallucinated cups in kitchens gone", [X("cup", "kitchen")]),
    ("the LMM reports umbrellas wherever there's sand. cure it?", [X("umbrella", "sand")]),
    ("boats: the model reports them even if there are none. fix", [X("boat")]),
    ("how to cure umbrella-on-beach hallucinations", [X("umbrella", "beach")]),
    ("Do the findings say anything on material like wood?", [S("material like wood")]),
    ("search for previously found features on snow", [S("snow")]),
    ("which features did we manage to explain?", [S(status="supported")]),
    ("explain finding 3fa9b1 and 77cc01", [E(finding="3fa9b1"), E(finding="77cc01")]),
    (
        "Train an SAE on layer 2 with k 64. When done, label the 50 busiest features.",
        [TrainSae(hook="layers.2", k=64), L(active=50)],
    ),
    ("sae: layer 3, 4096, k 32", [TrainSae(hook="layers.3", features=4096, k=32)]),
    (
        "train an sae with k=32 on layer 3 and one with k=64 on layer 4",
        [TrainSae(hook="layers.3", k=32), TrainSae(hook="layers.4", k=64)],
    ),
    ("label 0-9, status, then compare 3 and 4", [L(*range(10)), R, C(3, 4)]),
    ("post the results on slack", NOTHING),
    ("label the last 10 features", NOTHING),
    ("label 100 random features", NOTHING),
    ("find features like 12", NOTHING),
    ("features similar to 33", NOTHING),
    ("set feature 12 to zero", NOTHING),
    ("investigate features from a to z", NOTHING),
    ("5 most recent findings", NOTHING),
    ("is feature creep a problem in software?", NOTHING),
    ("use gpu 1", NOTHING),
    ("The paper mentions stripes. Our SAE is new. Which features see stripes?", [F("stripes")]),
    ("Feature 12 looks interesting. Find features for boats.", [F("boats")]),
    ("My inbox is full. I have two candidates. They are 10 and 20. What differs?", [C(10, 20)]),
    ("Layer 3 works best. Train one there.", [TrainSae(hook="layers.3")]),
    ("I copied an SAE here. It is called nightly-3. Can you open it?", [LoadSae(name="nightly-3")]),
    (
        "Picture 52 shows an empty street. I expected a no. Why does it say that there is a bus?",
        [why(52, "is there a bus?", "yes", "no")],
    ),
    (
        "We deploy this in a museum. It hallucinates persons all the time. Find a way to stop it.",
        [X("person")],
    ),
    (
        "I have a picture, number 88. It is a mess. What features does it activate?",
        [F(picture=p(88))],
    ),
    ('Is "feature 8" (also) the same as "feature 80"?', [C(8, 80)]),
    ('label features "20" to "22" (all three)', [L(20, 21, 22)]),
    ('find features for "stop" signs', [F("stop signs")]),
    ('find features for red "hats" (if any)', [F("red hats")]),
    ('search findings for "red" things', [S("red things")]),
    ("label features >= 100 and < 103", [L(100, 101, 102)]),
    ("label features [100, 102] (inclusive)", [L(100, 101, 102)]),
    ("label features 100+", NOTHING),
    ("label everything from 100 and up", NOTHING),
    ("load tiny", [LoadSae(name="tiny")]),
    ("please load the SAE from runs/ablation-k8.", [LoadSae(name="runs/ablation-k8")]),
    ("invetsigte featrue 12", [I(12)]),
    ("find features for feathers", [F("feathers")]),
    ("boats hallucinated in the desert -> fix", [X("boat", "desert")]),
    ("hallucinated clocks, kitchen -> fix", [X("clock", "kitchen")]),
    ("fix: lamps/bedroom", [X("lamp", "bedroom")]),
    ("image 3 - says hat - why", [why(3, "is there a hat?", "yes")]),
    ("why is picture 9 said to show a boat?", [why(9, "is there a boat?", "yes")]),
    (
        "why did it not say 'yes' to 'is there a cup?' in picture 7?",
        [why(7, "is there a cup?", None, "yes")],
    ),
    (
        "the answer for picture 5 was 'red', I expected 'blue'; asked was 'what is it?'. Why?",
        [why(5, "what is it?", "red", "blue")],
    ),
    ("enumerate the refuted claims", [S(status="refuted")]),
    ("I wanna know what that one does, you know the one", NOTHING),
    ("The related work section omits recent literature.", NOTHING),
    ("not feature 5 but feature 50: what is it for", [I(50)]),
    ("Stop it from seeing trees when it's shown a street.", [X("tree", "street")]),
    (
        "our model has a nasty bias: whenever there's snow, it reports a sledge. Any cure?",
        [X("sledge", "snow")],
    ),
    ("compare 9 and 10, and if you're at it investigate 11 as well", [C(9, 10), I(11)]),
    (
        "find feats for bicycles & search what was found on bicycles before",
        [F("bicycles"), S("bicycles")],
    ),
    ("hey. quick one - 512? what does it code for", [I(512)]),
    ("I do not want a label, I want to properly understand latent 99", [I(99)]),
    ("can you tag 15-18 and also 21, 22 and 30", [L(15, 16, 17, 18, 21, 22, 30)]),
    ("please mend: says 'yes, a flag' for empty castles", [X("flag", "castle")]),
    ("notes on circles from earlier runs, five will do", [S("circles", count=5)]),
    ("details of finding 00be12 and of finding 7c3", [E(finding="00be12"), E(finding="7c3")]),
    (
        "Could a new SAE be learnt on layers.7, having 32768 features of which 48 are active?",
        [TrainSae(hook="layers.7", features=32768, k=48)],
    ),
    (
        "make me an sae on the tenth block with 1 million tokens",
        [TrainSae(hook="layers.10", tokens=1000000)],
    ),
    ("Would you kindly ascertain the semantics of latents 810 and 811?", [I(810, 811)]),
    ("dont label, just investigate 2 3 and 5", [I(2, 3, 5)]),
    ("Does latent 8 fire wherever latent 9 fires, or not?", [C(8, 9)]),
    ("which detector(s) do we have for broken things?", [F("broken things")]),
    (
        "picture 90: it should have said a dog but it said a wolf, I asked what animal is this",
        [why(90, "what animal is this?", "wolf", instead="dog")],
    ),
    (
        "why are there always cups on its tables when in truth there are none, "
        "and what can be done?",
        [X("cup", "table")],
    ),
    ("anything on record for animals that failed verification?", [S("animals", status="refuted")]),
    ("which labels mention water? give me 3 at most", [S("water", count=3)]),
    ("Has the concept of symmetry come up in any earlier run?", [S("symmetry")]),
    (
        "start an SAE training on model.layers.15 with k set to 100",
        [TrainSae(hook="model.layers.15", k=100)],
    ),
    ("interpret the units 12 through 15, but leave 13 out", [I(12, 14, 15)]),
    ("do you have anything for wooden furniture?", [F("wooden furniture")]),
    ("features about rain, not snow", [F("rain")]),
    (
        "look for features which fire on validation picture 77, give me the best three",
        [F(picture=p(77, "validate"), count=3)],
    ),
    (
        "In picture 12 of the test set, the model says the shirt is red although it is clearly "
        "green - why?",
        [why(12, "what color is the shirt?", "red", instead="green", s="test")],
    ),
    (
        "for validation image 9, what made the model believe it is raining?",
        [why(9, "is it raining?", "yes", s="validate")],
    ),
    (
        "there's a bug: asked for a dog in the garden it says yes for empty gardens too",
        [X("dog", "garden")],
    ),
    ("any feature that goes crazy on tartan?", [F("tartan")]),
    ("find whatever detects the letter Q", [F("letter q")]),
    (
        "I'd like to see the features which respond when there is a lighthouse in view",
        [F("lighthouse")],
    ),
    (
        'picture #900 - "what does the shirt say?" - it reads "love", truth is "live". Why?',
        [why(900, "what does the shirt say?", "love", instead="live")],
    ),
    ("The LMM hallucinates sunglasses on cats. I want it gone.", [X("sunglasses", "cat")]),
    (
        "why does it always find a surfboard at the sea, and how could one fix this",
        [X("surfboard", "sea")],
    ),
    ("it adds forks next to every plate; please find a steering fix", [X("fork", "plate")]),
    (
        "The model is convinced that offices contain plants, which they don't. Repair.",
        [X("plant", "office")],
    ),
    (
        "when i show it a bathroom it says there is a mirror, even if there isn't. fix?",
        [X("mirror", "bathroom")],
    ),
    ("can you make it so that the model no longer imagines moustaches?", [X("moustache")]),
    ("show 7 refuted ones about birds", [S("birds", status="refuted", count=7)]),
    (
        "new dictionary on layer 11; number of latents: 16k; active per token: 50",
        [TrainSae(hook="layers.11", features=16000, k=50)],
    ),
    (
        "explain, for test picture 21, why the model answers 'plastic' to "
        "'what is the bottle made of?'",
        [why(21, "what is the bottle made of?", "plastic", s="test")],
    ),
    (
        "why is the ball in picture 3 described as orange?",
        [why(3, "what color is the ball?", "orange")],
    ),
    ("the network falsely claims to see a bridge over every river", [X("bridge", "river")]),
    ("make it stop: every kitchen gets a microwave in its answers", [X("microwave", "kitchen")]),
    ("How can the ghost cars be removed from its descriptions of highways?", [X("car", "highway")]),
    ("search the database for hair, 6 results", [S("hair", count=6)]),
]


@pytest.mark.parametrize(("request_", "tasks"), WORDINGS)
def test_a_request_becomes_its_plan(request_, tasks):
    assert planned(request_) == tasks


FOUND = tuple(Named(feature) for feature in (5, 9, 11))
CAR, BOAT = "is there a car?", "is there a boat?"
# Each turn: what is asked, the plan, and what the answer names.
CONVERSATIONS = {
    "on to the next feature, then both": [
        ("what does feature 12 respond to?", [I(12)], ()),
        ("and feature 13?", [I(13)], ()),
        ("now compare them", [C(12, 13)], ()),
        ("why was that refuted?", [E(feature=12), E(feature=13)], ()),
    ],
    "a finding, and its feature": [
        ("what does feature 12 respond to?", [I(12)], (Named(12, "ab12cd34"),)),
        ("why was that refuted?", [E(finding="ab12cd34")], ()),
        ("compare it with 14", [C(12, 14)], ()),
    ],
    "the same for few, then many": [
        ("what does feature 12 respond to?", [I(12)], ()),
        ("do the same for 20 to 25", [I(20, 21, 22, 23, 24, 25)], ()),
        ("do the same for 30 to 99", [L(*range(30, 100))], ()),
    ],
    "the same batch elsewhere": [
        ("label 0-20", [L(*range(21))], ()),
        ("do the same for 30 to 40", [L(*range(30, 41))], ()),
        ("how far is it?", [R], ()),
    ],
    "another concept, and one of the features found": [
        ("find features for umbrellas", [F("umbrellas")], FOUND),
        ("and for beaches?", [F("beaches")], FOUND),
        ("investigate the first one", [I(5)], ()),
    ],
    "two of the features found": [
        ("find features for umbrellas", [F("umbrellas")], FOUND),
        ("compare the first two", [C(5, 9)], ()),
    ],
    "the best of them": [
        ("find features for umbrellas", [F("umbrellas")], FOUND),
        ("investigate the best two of them", [I(5, 9)], ()),
    ],
    "more for the same words": [
        ("find features for umbrellas", [F("umbrellas")], FOUND),
        ("other features for that", [F("umbrellas", count=20)], FOUND),
        ('same but for "stop" signs', [F("stop signs", count=20)], FOUND),
    ],
    "all of them": [
        ("find features for umbrellas", [F("umbrellas")], FOUND),
        ("label all of them", [L(5, 9, 11)], ()),
    ],
    "another picture, another question, a fix": [
        (f"why does the model say yes to '{CAR}' for picture 7", [why(7, CAR, "yes")], ()),
        ("and for picture 8?", [why(8, CAR)], ()),
        ("same question for test picture 3", [why(3, CAR, s="test")], ()),
        ("and 'is there a boat?'", [why(3, BOAT, s="test")], ()),
        ("fix that", [X("boat")], ()),
    ],
    "this picture": [
        ("which features fire on picture 7", [F(picture=p(7))], ()),
        ("and picture 8?", [F(picture=p(8))], ()),
        ("why does it say there is a boat in this picture?", [why(8, BOAT, "yes")], ()),
    ],
    "compared with another one": [
        ("compare 3 and 5", [C(3, 5)], ()),
        ("and with 7?", [C(3, 7)], ()),
        ("what does the second one respond to?", [I(7)], ()),
    ],
    "another finding": [
        ("explain finding 3f2a9c1b", [E(finding="3f2a9c1b")], ()),
        ("and 4455aabb?", [E(finding="4455aabb")], ()),
    ],
    "what is unclear leaves the thread as it was": [
        ("investigate 12", [I(12)], ()),
        ("how sure are you?", [E(feature=12)], ()),
        ("what is the weather?", None, ()),
        ("label it", [L(12)], ()),
    ],
    "another search, and again": [
        ("search findings for boats", [S("boats")], ()),
        ("and umbrellas?", [S("umbrellas")], ()),
        ("again", [S("umbrellas")], ()),
    ],
    "narrowed by how findings ended": [
        ("search findings for boats", [S("boats")], ()),
        ("only the supported ones", [S("boats", "supported")], ()),
        ("and which were refuted?", [S("boats", "refuted")], ()),
        ("list all supported findings", [S(status="supported")], ()),
    ],
    "more of them": [
        ("find features for boats", [F("boats")], FOUND),
        ("give me 20 of them", [F("boats", count=20)], FOUND),
        ("compare the second and the third", [C(9, 11)], ()),
    ],
    "the same training otherwise": [
        ("train an sae on layer 1, k 32", [TrainSae(hook="layers.1", k=32)], ()),
        ("same, but with k 64", [TrainSae(hook="layers.1", k=64)], ()),
        ("again on layer 2", [TrainSae(hook="layers.2", k=64)], ()),
        ("investigate feature 3", [I(3)], ()),
    ],
    "the same answer once more": [
        ("why does it say there's a car in picture 3", [why(3, CAR, "yes")], ()),
        ("why does it say that?", [why(3, CAR, "yes")], ()),
        ("mend it", [X("car")], ()),
    ],
    "further ones": [
        ("label 3-5", [L(3, 4, 5)], ()),
        ("next two features", [L(6, 7)], ()),
        ("continue up to 9", [L(8, 9)], ()),
    ],
    "more, and more again": [
        ("label the 50 most active features", [L(active=50)], ()),
        ("make it 80", [L(active=80)], ()),
        ("double that", [L(active=160)], ()),
    ],
    "half of it": [
        (
            "train an sae on layer 1, k 32, 4096 features",
            [TrainSae(hook="layers.1", features=4096, k=32)],
            (),
        ),
        ("half the k, the rest unchanged", [TrainSae(hook="layers.1", features=4096, k=16)], ()),
    ],
    "another illusion": [
        ("it sees boats in the kitchen, fix it", [X("boat", "kitchen")], ()),
        ("same problem with dogs", [X("dog", "kitchen")], ()),
        ("and in the forest", [X("dog", "forest")], ()),
    ],
    "all but one of the features found": [
        ("find features for umbrellas", [F("umbrellas")], FOUND),
        ("label all of them except the last one", [L(5, 9)], ()),
    ],
    "the first, with the second": [
        ("find features for umbrellas", [F("umbrellas")], FOUND),
        ("investigate the top one, then compare it with the runner-up", [I(5), C(5, 9)], ()),
    ],
    "a picture's number": [
        ("which features fire on test picture 7", [F(picture=p(7, "test"))], ()),
        ("same for 8", [F(picture=p(8, "test"))], ()),
    ],
    "those that were listed": [
        ("find features for umbrellas", [F("umbrellas")], FOUND),
        ("what do those respond to?", [I(5, 9, 11)], FOUND),
        ("tell me more about the second", [I(9)], ()),
    ],
    "not quite what was meant": [
        ("find features for umbrellas", [F("umbrellas")], FOUND),
        ("no, i meant parasols", [F("parasols")], FOUND),
        ("look for tents instead", [F("tents")], FOUND),
        ("only 5", [F("tents", count=5)], FOUND),
        ("tell me the fourth one in detail", None, ()),
    ],
    "findings in their order": [
        ("search findings for boats", [S("boats")], (Named(19, "aa10b2"), Named(27, "bb20c3"))),
        ("explain the first one", [E(finding="aa10b2")], ()),
    ],
    "another question about the picture": [
        (f"why does the model say yes to '{CAR}' for picture 7", [why(7, CAR, "yes")], FOUND),
        ("and is there a boat?", [why(7, BOAT)], FOUND),
        ("which other features fire there?", [F(picture=p(7))], FOUND),
        ("explain these features", [I(5, 9, 11)], ()),
    ],
    "what to do about it": [
        (f"why does the model say yes to '{CAR}' for picture 7", [why(7, CAR, "yes")], ()),
        ("how can we stop that?", [X("car")], ()),
        ("now do fish in the sea", [X("fish", "sea")], ()),
    ],
    "the same training on another layer": [
        ("train an sae on layer 1, k 32", [TrainSae(hook="layers.1", k=32)], ()),
        ("now layer 4 please", [TrainSae(hook="layers.4", k=32)], ()),
        ("train another one with k 8", [TrainSae(k=8)], ()),
    ],
    "on and on": [
        ("label 3-5", [L(3, 4, 5)], ()),
        ("continue", [L(6, 7, 8)], ()),
        ("another 2", [L(9, 10)], ()),
    ],
    "both": [
        ("compare 3 and 5", [C(3, 5)], ()),
        ("investigate both", [I(3, 5)], ()),
    ],
}


@pytest.mark.parametrize("turns", CONVERSATIONS.values(), ids=CONVERSATIONS)
def test_a_request_goes_on_from_what_was_said(turns):
    context = Context()
    for request_, tasks, named in turns:
        made = understood(request_, context)
        assert planned(request_, context) == tasks, request_
        if isinstance(made, Made):
            context = context.after(made.tasks, named)


@pytest.mark.parametrize(
    "request_",
    ["and 13?", "same for picture 8", "again", "compare them", "same, but with k 64"],
)
def test_nothing_goes_on_from_nothing(request_):
    assert planned(request_) is None
