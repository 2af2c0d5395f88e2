"""Adapters of every class: batches, replies, and where in a picture each position looks.

Geometry is checked on the real models by marking: with attention switched off in the vision tower,
a bright spot on a black picture changes exactly the positions that look at it. Pictures are then
resampled to the nearest pixel, so that a spot stays where it is.
"""

import math
from typing import NamedTuple

import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor
from transformers import CLIPConfig, CLIPModel

from sae_core.errors import UserError
from sae_core.lmm.adapter import Adapter, Prompt, adapter_for
from sae_core.lmm.anyres import Size, tile_count
from sae_core.lmm.hooks import harvest
from sae_core.lmm.layout import BASE, BREAK, PAD, TEXT, TILE
from tests.sae_core.small_models import (
    BUILDERS,
    EDGE,
    PATCH,
    WIDTH,
    instructblip,
    instructblip_t5,
    llava_next,
    llava_onevision,
    noise,
    qwen,
)

ALONE = Prompt((noise(40, 30),), "")
SIDES = st.integers(1, 130)
FEW = settings(max_examples=25)


@pytest.fixture(scope="module", params=BUILDERS)
def adapter(request):
    return adapter_for(*BUILDERS[request.param]())


# --- batches ---------------------------------------------------------------------------------


def test_widths_are_those_of_the_language_model(adapter):
    assert (adapter.width(), len(adapter.layers())) == (WIDTH, 3)


def test_an_empty_text_leaves_picture_and_chat_marks_only(adapter):
    inputs = adapter.prepare([ALONE])
    (layout,) = inputs.layouts
    text = adapter.processor.tokenizer.decode(inputs.tensors["input_ids"][0, layout.where(TEXT)])
    assert set(text.split()) <= {
        "<s>",
        "<user>",
        "<assistant>",
        "<|vision_start|>",
        "<|vision_end|>",
    }


def test_padding_stands_on_the_left_only(adapter):
    inputs = adapter.prepare([ALONE, ALONE._replace(text="what is this red cat")])
    padded_BT = torch.stack([layout.kind_T for layout in inputs.layouts]) == PAD
    assert padded_BT[0].tolist() == sorted(padded_BT[0].tolist(), reverse=True)
    assert padded_BT.any(1).tolist() == [True, False]


def test_a_row_of_a_batch_equals_the_same_prompt_alone(adapter):
    prompts = [ALONE, Prompt((noise(20, 90, 1),), "what is this")]
    batch = adapter.prepare(prompts)
    found = harvest(adapter, batch, "layers.1")
    for x_TD, layout, prompt in zip(found, batch.layouts, prompts, strict=True):
        wanted = harvest(adapter, adapter.prepare([prompt]), "layers.1")[0]
        assert torch.allclose(x_TD[layout.kind_T != PAD], wanted, atol=1e-5)


def test_a_template_that_writes_the_start_itself_gets_no_second_one():
    inputs = adapter_for(*llava_next()).prepare([ALONE])
    assert int((inputs.tensors["input_ids"] == 2).sum()) == 1


@pytest.mark.parametrize("build", [llava_next, llava_onevision, qwen])
def test_a_processor_without_a_template_gets_the_plain_form(build):
    adapter = adapter_for(*build(template=""))
    inputs = adapter.prepare([ALONE._replace(text="what is this")])
    harvest(adapter, inputs, "layers.0")
    said = inputs.tensors["input_ids"][0, inputs.layouts[0].where(TEXT)]
    assert adapter.processor.tokenizer.decode(said).endswith("what is this")


def test_the_mark_of_a_picture_in_the_text_is_refused(adapter):
    with pytest.raises(UserError, match="The prompt's text holds '<image>'"):
        adapter.prepare([ALONE._replace(text="what is <image>")])


def test_a_class_without_an_adapter_is_refused_with_those_that_have_one():
    small = {"num_hidden_layers": 1, "hidden_size": 8, "num_attention_heads": 1}
    clip = CLIPModel(CLIPConfig(text_config=small, vision_config=small))
    with pytest.raises(UserError, match=r"No adapter for the model class CLIPModel\. Known: Llava"):
        adapter_for(clip, llava_next().processor)


# --- replies ---------------------------------------------------------------------------------


@pytest.fixture(
    scope="module", params=["llava-next", "llava-onevision", "qwen2.5-vl", "instructblip"]
)
def talker(request):
    return adapter_for(*BUILDERS[request.param]())


def test_a_reply_stands_where_its_slice_says(talker):
    prompts = [ALONE, ALONE._replace(text="what is this"), ALONE]
    inputs = talker.prepare(prompts, replies=["the red cat", "yes", ""])
    words = [
        talker.processor.tokenizer.decode(row[span])
        for row, span in zip(inputs.tensors["input_ids"], inputs.replies, strict=True)
    ]
    assert words == ["the red cat", "yes", ""]


def test_a_reply_changes_nothing_before_it(talker):
    bare, told = talker.prepare([ALONE]), talker.prepare([ALONE], replies=["the red cat"])
    before = told.replies[0].start
    wanted, found = (harvest(talker, inputs, "layers.1")[0] for inputs in (bare, told))
    assert torch.allclose(found[:before], wanted, atol=1e-5)


def test_prompts_without_replies_have_empty_slices(adapter):
    inputs = adapter.prepare([ALONE])
    assert len(range(inputs.tensors["input_ids"].shape[1])[inputs.replies[0]]) == 0


def test_a_reply_that_no_hooked_block_would_see_is_refused():
    with pytest.raises(UserError, match="writes replies with a decoder of its own"):
        adapter_for(*instructblip_t5()).prepare([ALONE], replies=["yes"])


# --- marking ---------------------------------------------------------------------------------


class Spot(NamedTuple):
    """A bright rectangle, in pixels."""

    left: int
    top: int
    right: int
    bottom: int


def _near_sighted(adapter: Adapter) -> Adapter:
    """Each patch sees itself only, and pictures are resampled to the nearest pixel."""
    adapter.processor.image_processor.resample = Image.Resampling.NEAREST
    for name, parameter in adapter.model.named_parameters():
        if "vis" in name and ("out_proj" in name or "attn.proj" in name):
            torch.nn.init.zeros_(parameter)
    return adapter


def _embedded(adapter: Adapter, prompt: Prompt) -> Tensor:
    """What the language model's first block reads [T, D]."""
    read: list[Tensor] = []
    handle = adapter.block("layers.0").register_forward_pre_hook(
        lambda _block, args: read.append(args[0][0])
    )
    harvest(adapter, adapter.prepare([prompt]), "layers.0")
    handle.remove()
    return read[0]


def _overlap(box_T4: Tensor, spot: Spot) -> Tensor:
    """How far boxes reach into the spot, across and down [T, 2]; negative: how far they miss it."""
    far, near = torch.tensor(spot[2:]), torch.tensor(spot[:2])
    return torch.minimum(box_T4[:, 2:], far) - torch.maximum(box_T4[:, :2], near)


class Marked(NamedTuple):
    """Which positions a spot changed, and how far each position's box reaches into it."""

    changed_T: Tensor
    overlap_T2: Tensor
    kind_T: Tensor
    box_T4: Tensor


def _marked(adapter: Adapter, sizes: list[Size], picture: int, spot: Spot) -> Marked:
    dark = [Image.new("RGB", (size.width, size.height)) for size in sizes]
    lit = [image.copy() for image in dark]
    lit[picture].paste((255, 255, 255), tuple(spot))
    before, after = (_embedded(adapter, Prompt(tuple(images), "")) for images in (dark, lit))
    (layout,) = adapter.prepare([Prompt(tuple(dark), "")]).layouts
    box_T4 = layout.box_T4.clone()
    box_T4[layout.picture_T != picture] = torch.nan
    changed_T = (before - after).abs().amax(1) > 1e-6
    return Marked(changed_T, _overlap(box_T4, spot), layout.kind_T, box_T4)


def _blind(marked: Marked, pixels: int, again: float) -> Tensor:
    """How wide a spot in a box can be, across and down, without a pixel that reads it [T, 2].

    Resampling to the nearest pixel reads the middle of each pixel it makes, so a spot may lie
    unread between two middles. How far these are apart follows from the widest box, not from each
    position's own: a box that padding cuts off has fewer pixels, not smaller ones. In tiles it is
    the same both ways, since enlarging keeps the aspect ratio, and along a picture's shorter side
    all boxes may be cut off.

    A tile that is resized again reads the nearest pixel of the enlarged picture instead of its own
    middles, up to half of such a pixel off either way. `again` is the width of that pixel, in those
    of the tile.
    """
    side_T2 = (marked.box_T4[:, 2:] - marked.box_T4[:, :2]).nan_to_num()
    base_T1, tile_T1 = (marked.kind_T[:, None] == kind for kind in (BASE, TILE))
    base_2, tile = (side_T2 * base_T1).amax(0), (side_T2 * tile_T1).amax()
    return torch.where(tile_T1, tile * (1 + again), base_2) / pixels


def _check_marked(marked: Marked, *, pixels: int = PATCH, again: float = 0) -> None:
    """All positions whose pixels can't miss the spot changed, and none whose box misses it."""
    must_T = (marked.overlap_T2 > _blind(marked, pixels, again) + 1e-3).all(1)
    may_T = (marked.overlap_T2 > 0).all(1)
    assert not (must_T & ~marked.changed_T).any()
    assert not (marked.changed_T & ~may_T).any()


@st.composite
def spotted(draw):
    """A picture's size, and a spot in it."""
    size = Size(draw(SIDES), draw(SIDES))
    left, top = draw(st.integers(0, size.width - 1)), draw(st.integers(0, size.height - 1))
    right, bottom = draw(st.integers(left + 1, size.width)), draw(st.integers(top + 1, size.height))
    return size, Spot(left, top, right, bottom)


NEXT = _near_sighted(adapter_for(*llava_next()))
CROPPED = _near_sighted(adapter_for(*llava_next(resize=32)))
FRAMED = _near_sighted(adapter_for(*llava_next(resize=17)))
UNEVEN = _near_sighted(adapter_for(*llava_next(crop=30, resize=30)))
ONEVISION = _near_sighted(adapter_for(*llava_onevision(bound=99)))
INTERPOLATING = _near_sighted(adapter_for(*llava_onevision(bound=2)))
QWEN = _near_sighted(adapter_for(*qwen()))


@pytest.mark.parametrize(
    ("adapter", "pixels", "again"),
    [
        (NEXT, 4, 0),
        (CROPPED, 4, 32 / EDGE),
        (FRAMED, 4, 17 / EDGE),
        (UNEVEN, 4, 0),
        (ONEVISION, 4, 0),
        (QWEN, 8, 0),
    ],
    ids=["llava-next", "cropped", "framed", "uneven", "onevision", "qwen"],
)
@FEW
@given(case=spotted())
@example((Size(1, 130), Spot(60, 0, 90, 1)))
@example((Size(130, 1), Spot(0, 3, 1, 50)))
# Cropped: of the picture's 82 rows, the 34 that tiles are cut from have 63 and 66, none between.
@example((Size(82, 116), Spot(0, 64, 10, 66)))
# Framed: cells on the picture's upper edge reach 0.18 pixels into it, and read the padding above.
@example((Size(4, 7), Spot(0, 0, 1, 1)))
# Framed: the base's last cells have one pixel of four in the picture, 7.6 of the picture's wide.
@example((Size(130, 130), Spot(128, 128, 130, 130)))
def test_a_spot_changes_the_positions_that_look_at_it(adapter, pixels, again, case):
    size, spot = case
    _check_marked(_marked(adapter, [size], 0, spot), pixels=pixels, again=again)


@FEW
@given(case=spotted())
def test_an_interpolated_position_changes_with_its_place_and_not_with_places_far_off(case):
    size, spot = case
    marked = _marked(INTERPOLATING, [size], 0, spot)
    side_T2 = marked.box_T4[:, 2:] - marked.box_T4[:, :2]
    must_T = ((marked.overlap_T2 >= side_T2 - 1e-3) & (side_T2 > 1)).all(1)
    may_T = (marked.overlap_T2 > -side_T2 - 1).all(1)
    assert not (must_T & ~marked.changed_T).any()
    assert not (marked.changed_T & ~may_T).any()


@pytest.mark.parametrize(
    ("adapter", "pixels"),
    [(NEXT, 4), (ONEVISION, 4), (QWEN, 8)],
    ids=["llava-next", "onevision", "qwen"],
)
@pytest.mark.parametrize("picture", [0, 1])
def test_a_spot_in_one_of_two_pictures_changes_that_pictures_positions(adapter, pixels, picture):
    marked = _marked(adapter, [Size(33, 60), Size(70, 41)], picture, Spot(10, 8, 30, 29))
    assert marked.changed_T.any()
    _check_marked(marked, pixels=pixels)


# --- tiles -----------------------------------------------------------------------------------


def _check_grid(box_RC4: Tensor, size: Size, slack: Size) -> None:
    """Cells row by row without gap or overlap, which cover all of the picture but the slack."""
    for first, last, dim, side, loose in (
        (0, 2, 1, size.width, slack.width),
        (1, 3, 0, size.height, slack.height),
    ):
        begins, ends = box_RC4[..., first].movedim(dim, 0), box_RC4[..., last].movedim(dim, 0)
        assert torch.allclose(begins[1:], ends[:-1], atol=1e-3)
        assert (ends >= begins).all()
        assert (begins == begins[:, :1]).all()
        assert begins[0].max() <= loose
        assert ends[-1].min() >= side - loose


ANYRES = pytest.mark.parametrize("adapter", [NEXT, INTERPOLATING], ids=["llava-next", "onevision"])


@ANYRES
@settings(max_examples=100)
@given(height=st.integers(1, 3000), width=st.integers(1, 3000))
def test_the_base_grid_covers_the_picture_row_by_row(adapter, height, width):
    region = adapter.region(Size(height, width), True)
    box_RC4 = region.box_P4[region.kind_P == BASE].view(*region.grid, 4)
    _check_grid(box_RC4, Size(height, width), Size(0, 0))


@ANYRES
@settings(max_examples=100)
@given(height=st.integers(1, 3000), width=st.integers(1, 3000))
@example(3000, 200)
def test_tiles_cover_the_picture_but_for_half_a_cell_that_unpadding_takes(adapter, height, width):
    size = Size(height, width)
    region = adapter.region(size, True)
    box_P4 = region.box_P4[region.kind_P == TILE]
    assume(len(box_P4))
    box_RC4 = box_P4.view(int((region.kind_P == BREAK).sum()), -1, 4)
    # Half a cell, and a pixel of rounding before enlarging is undone.
    enlarged = tile_count(adapter.eye, size, adapter.model.config.image_grid_pinpoints)
    scale = max(height / enlarged.height, width / enlarged.width) / EDGE
    loose = math.ceil((PATCH / 2 + 1) * scale)
    _check_grid(box_RC4, size, Size(loose, loose))


@ANYRES
@settings(max_examples=100)
@given(height=st.integers(1, 3000), width=st.integers(1, 3000))
def test_a_picture_takes_as_many_positions_as_the_processor_reserves(adapter, height, width):
    processor = adapter.processor
    reserved = processor._get_number_of_features(height, width, EDGE, EDGE)
    reserved -= processor.vision_feature_select_strategy == "default"
    assert len(adapter.region(Size(height, width), True).kind_P) == reserved


@pytest.mark.parametrize(("height", "width"), [(1, 130), (130, 1)])
@ANYRES
def test_a_picture_too_thin_to_be_tiled_is_read_by_its_base_alone(adapter, height, width):
    (layout,) = adapter.prepare([Prompt((noise(width, height),), "")]).layouts
    assert not len(layout.where(TILE))
    assert layout.box_T4[layout.base()][-1, 2:].tolist() == [width, height]


def test_queries_of_a_q_former_look_at_the_whole_picture():
    (layout,) = adapter_for(*instructblip()).prepare([ALONE]).layouts
    assert layout.box_T4[layout.base()].tolist() == [[0, 0, 40, 30]] * 5


# --- refused ---------------------------------------------------------------------------------


def test_a_picture_too_thin_for_qwen_is_refused():
    with pytest.raises(UserError, match="A picture of 201 x 1 pixels is too thin"):
        QWEN.prepare([Prompt((noise(201, 1),), "")])


@pytest.mark.parametrize("pictures", [(), (noise(9, 9), noise(9, 9))], ids=["none", "two"])
def test_instructblip_takes_exactly_one_picture(pictures):
    with pytest.raises(UserError, match=f"A prompt with {len(pictures)} pictures"):
        adapter_for(*instructblip()).prepare([Prompt(pictures, "what is this")])


@pytest.mark.parametrize("build", [llava_next, llava_onevision, qwen])
def test_text_alone_needs_no_picture(build):
    inputs = adapter_for(*build()).prepare([Prompt((), "what is this")])
    assert not len(inputs.layouts[0].where(BASE, TILE, BREAK))


@pytest.mark.parametrize("build", [llava_next, llava_onevision, qwen])
def test_prompts_with_none_one_and_two_pictures_share_a_batch(build):
    adapter = adapter_for(*build())
    shown = (noise(40, 30), noise(30, 50, 1))
    inputs = adapter.prepare([Prompt(shown[:n], "what is this") for n in range(3)])
    assert [len(layout.grids) for layout in inputs.layouts] == [0, 1, 2]
    assert harvest(adapter, inputs, "layers.0").isfinite().all()


def test_a_processor_of_another_model_is_refused():
    with pytest.raises(UserError, match=r"The processor enlarges pictures to .* the model expects"):
        adapter_for(llava_next().model, llava_next(crop=28, resize=28).processor)


def test_frames_that_are_no_squares_are_refused():
    model, processor = llava_next()
    processor.image_processor.crop_size = {"height": EDGE, "width": 2 * EDGE}
    with pytest.raises(UserError, match="tiles must be squares"):
        adapter_for(model, processor)


# --- the toybox ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def target():
    from toybox.models import load_target

    chat = load_target()
    return adapter_for(chat.model, chat.processor)


def test_a_toybox_picture_is_one_tile_of_its_own_cells_beside_its_base(target):
    edge = target.model.config.vision_config.image_size
    (layout,) = target.prepare([Prompt((noise(edge, edge),), "")]).layouts
    assert torch.equal(layout.box_T4[layout.base()], layout.box_T4[layout.where(TILE)])
    patch = target.model.config.vision_config.patch_size
    assert layout.box_T4[layout.base()][1].tolist() == [patch, 0, 2 * patch, patch]


def test_the_toybox_targets_own_reply_is_what_it_would_say_next(target):
    picture = noise(96, 96)
    asked = Prompt((picture,), "describe this picture")
    inputs = target.prepare([asked])
    out = target.model.generate(**inputs.tensors, max_new_tokens=6, do_sample=False)
    new = out[0, inputs.tensors["input_ids"].shape[1] :]
    reply = target.processor.tokenizer.decode(new, skip_special_tokens=True)
    told = target.prepare([asked], replies=[reply])
    with torch.no_grad():
        logits_TV = target.model(**told.tensors).logits[0]
    span = told.replies[0]
    foreseen = logits_TV[span.start - 1 : span.stop - 1].argmax(-1)
    assert foreseen.tolist() == told.tensors["input_ids"][0, span].tolist()


def test_the_toybox_targets_harvest_equals_its_full_pass(target):
    inputs = target.prepare([Prompt((noise(96, 96),), ""), Prompt((noise(150, 60, 1),), "what")])
    with torch.no_grad():
        states = target.model(**inputs.tensors, output_hidden_states=True).hidden_states
    kept = torch.stack([layout.kind_T for layout in inputs.layouts]) != PAD
    found = harvest(target, inputs, "layers.3")[kept]
    assert torch.allclose(found, states[4][kept], rtol=0, atol=1e-6)
