"""The recipes train the very computation that transformers' own classes run."""

import numpy as np
import pytest
import torch
from PIL import Image

from toybox.models import Chat, Prompt, load_explainer, load_target
from toybox.packing import pack
from toybox.shipping import explainer_processor, ship, target_processor
from toybox.speaking import turn
from toybox.tokens import BOS, IMAGE, USER, build_tokenizer
from toybox.train_explainer import Page
from toybox.train_explainer import build as build_explainer
from toybox.train_eyes import to_model
from toybox.train_target import Speaker, picture_tokens
from toybox.train_target import build as build_target
from toybox.world_draw import draw_scene
from toybox.world_splits import fresh_scene

WORDS = ["is", "there", "a", "red", "car", "what", "color", "the", "yes"]


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    return np.stack([draw_scene(fresh_scene(seed)).pixels_HW3 for seed in (1, 2)])


@pytest.fixture(scope="module")
def target(tmp_path_factory) -> Chat:
    tokenizer = build_tokenizer(WORDS)
    folder = tmp_path_factory.mktemp("weights") / "target"
    ship(build_target(tokenizer), target_processor(tokenizer), folder)
    return load_target(folder)


@pytest.fixture(scope="module")
def explainer(tmp_path_factory) -> Chat:
    tokenizer = build_tokenizer(WORDS)
    folder = tmp_path_factory.mktemp("weights") / "explainer"
    ship(build_explainer(tokenizer), explainer_processor(tokenizer), folder)
    return load_explainer(folder)


def _reference(chat: Chat, pictures: list[Image.Image], text: str) -> torch.Tensor:
    """The logits of the first word of the reply, computed as a user's call computes them."""
    prompt = Prompt(tuple(pictures), text)
    inputs = chat.processor(images=pictures, text=[chat.text_of(prompt)], return_tensors="pt")
    return chat.model(**inputs).logits[0, -1]


@torch.no_grad()
def test_the_target_is_trained_on_the_computation_that_anyres_runs(target, pixels):
    tokenizer = target.processor.tokenizer
    speaker = Speaker(target.model)
    tower = target.model.model.vision_tower
    start = tokenizer.convert_tokens_to_ids([BOS, USER, IMAGE])
    prefix = [*start[:2], *start[2:] * picture_tokens(tiles=True)]
    questions = ["is there a red car?", "what color is the car?"]
    packed = pack([[turn(tokenizer, q, "yes") for q in questions]], prefix)
    hidden = tower(to_model(pixels[:1])).last_hidden_state[:, 1:]
    _, seen = speaker.see(hidden, tiles=True)
    embedded = speaker.language.get_input_embeddings()(packed.tokens)
    embedded[:, 2 : 2 + seen.shape[1]] = seen
    out = speaker.language(
        inputs_embeds=embedded, attention_mask=packed.mask, position_ids=packed.positions
    ).last_hidden_state
    said = (packed.labels[0] >= 0).nonzero()[:, 0]
    picture = Image.fromarray(pixels[0])
    for number, question in enumerate(questions):
        ours = speaker.head(out[0, said[2 * number]])
        torch.testing.assert_close(ours, _reference(target, [picture], question), rtol=0, atol=1e-4)


@torch.no_grad()
def test_the_explainer_is_trained_on_the_computation_that_several_pictures_run(explainer, pixels):
    tokenizer = explainer.processor.tokenizer
    page = Page(explainer.model)
    tower = explainer.model.model.vision_tower
    hidden = page.projector(tower(to_model(pixels)).last_hidden_state[:, 1:])
    start = tokenizer.convert_tokens_to_ids([BOS, USER, IMAGE])
    prefix = [*start[:2], *start[2:] * (hidden.shape[0] * hidden.shape[1])]
    packed = pack([[turn(tokenizer, "what color is the car?", "red")]], prefix)
    embedded = page.language.get_input_embeddings()(packed.tokens)
    embedded[:, 2 : len(prefix)] = hidden.flatten(0, 1)
    out = page.language(
        inputs_embeds=embedded, attention_mask=packed.mask, position_ids=packed.positions
    ).last_hidden_state
    ours = page.head(out[0, (packed.labels[0] >= 0).nonzero()[0, 0]])
    pictures = [Image.fromarray(one) for one in pixels]
    reference = _reference(explainer, pictures, "what color is the car?")
    torch.testing.assert_close(ours, reference, rtol=0, atol=1e-4)


def test_a_batch_of_prompts_gets_the_replies_that_each_would_get_alone(target, pixels):
    pictures = [Image.fromarray(one) for one in pixels]
    prompts = [Prompt((pictures[0],), "is there a car?"), Prompt((pictures[1],), "what?")]
    together = target.replies(prompts, tokens=4)
    assert together == [target.replies([one], tokens=4)[0] for one in prompts]
