"""A sparse coder: splits one layer's activations into features that fire rarely, and back.

    z = select(ReLU(W_enc (x - b_dec) + b_enc)),   x' = z W_dec + b_dec

Knows its weights and its rule of selection; nothing of files, models or training.

Shapes: N rows, R pieces of rows, K slots of a row, F features, D width.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, Protocol

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from torch import Tensor, nn

from sae_core.coders.selection import Chunk, Picked, Pieces, largest, largest_of_batch, over
from sae_core.coders.sparse import Code, decoded, pieced, preactivations, summed
from sae_core.coders.thresholds import band, jump
from sae_core.errors import UserError

NORM_EPSILON = 1e-5


class CoderConfig(BaseModel):
    """What a coder is, apart from its weights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int = Field(gt=0)
    """D, the width of the layer that it reads."""
    features: int = Field(gt=0)
    """F, how many features it has."""
    rule: Literal["topk", "batchtopk", "jumprelu"] = "topk"
    """Which features fire. A plain ReLU coder is a jumprelu with thresholds of zero."""
    k: int | None = None
    """How many fire, for topk in each row, for batchtopk on average."""
    groups: tuple[int, ...] = ()
    """Matryoshka: how many features each nested dictionary has; the last is all of them."""
    centred: bool = True
    """Whether the decoder's bias is taken off before encoding."""
    normalised: bool = False
    """Whether each row gets mean 0 and deviation 1 before, and its own back after."""
    scale: float = 1.0
    """What activations are multiplied with before encoding, and divided by after decoding."""
    hook: str = ""
    """The layer it was trained on, where known: for example layers.24."""
    source: str = ""
    """The model it was trained on, where known."""

    @model_validator(mode="after")
    def _fits(self) -> CoderConfig:
        if self.rule != "jumprelu" and not 0 < (self.k or 0) <= self.features:
            raise ValueError(
                f"k={self.k}: a {self.rule} coder of {self.features} features needs a k between "
                f"1 and {self.features}"
            )
        if self.groups and (
            sorted(set(self.groups)) != list(self.groups) or self.groups[-1] != self.features
        ):
            raise ValueError(
                f"groups={self.groups}: they must grow, and end at all {self.features} features"
            )
        return self


def coder_config(**fields: Any) -> CoderConfig:
    """A config from what a user said; what does not fit is named in one line."""
    try:
        return CoderConfig(**fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise UserError(f"{where}={first['input']!r}: {message}" if where else message) from None


class Norms(NamedTuple):
    """What normalisation took off: mean and deviation of each row."""

    mean_N1: Tensor
    deviation_N1: Tensor

    def taken_off(self, x_ND: Tensor) -> Tensor:
        """Rows with mean 0 and deviation 1.

        A constant row must not divide by zero. The libraries that normalise put the deviation back
        without that allowance, and so does decode().
        """
        return (x_ND - self.mean_N1) / (self.deviation_N1 + NORM_EPSILON)


class Fired(NamedTuple):
    """A code, and the pre-activations of its slots, near misses of a jumprelu included."""

    code: Code
    pre_NK: Tensor
    row_R: Tensor | None
    """The row of each row of the code, where rows that fire much are cut into pieces."""


class SparseCoder(nn.Module):
    """TopK, BatchTopK, JumpReLU and Matryoshka coders."""

    def __init__(self, config: CoderConfig, weights: Mapping[str, Tensor] | None = None) -> None:
        super().__init__()
        self.config = config
        size, width = config.features, config.width
        self.W_enc = nn.Parameter(torch.empty(size, width))
        self.b_enc = nn.Parameter(torch.zeros(size))
        self.W_dec = nn.Parameter(torch.empty(size, width))
        self.b_dec = nn.Parameter(torch.zeros(width))
        self.threshold = nn.Parameter(torch.zeros(size), requires_grad=config.rule == "jumprelu")
        """Below it nothing fires. Learned by jumprelu, measured by batchtopk, zero for topk."""
        if weights is None:
            self.reset()
        else:
            self.load_state_dict(weights, assign=True)

    @torch.no_grad()
    def reset(self) -> None:
        """Random unit decoder rows; the encoder starts as their transpose."""
        nn.init.normal_(self.W_dec)
        self.W_dec.div_(self.W_dec.norm(dim=1, keepdim=True))
        self.W_enc.copy_(self.W_dec)

    @property
    def width(self) -> int:
        """D."""
        return self.config.width

    @property
    def features(self) -> int:
        """F."""
        return self.config.features

    # What differs where other processes hold the other features: sae_core.coders.shard.

    @property
    def first(self) -> int:
        """The number of the first feature that is held here."""
        return 0

    def centre(self) -> Tensor:
        """What is taken off before encoding."""
        return self.b_dec

    def over_all(self, part: Tensor) -> Tensor:
        """The sum of what is found with the features here and with those held elsewhere."""
        return part

    def strongest(self, found: Picked, k: int) -> Pieces:
        """What is here of the k strongest of each row, of up to k candidates a row."""
        del k
        return Pieces(*found, None)

    def strongest_of_batch(self, found: Pieces, rows: int, k: int) -> Pieces:
        """What is here of the rows * k strongest of all, of up to as many candidates."""
        del rows, k
        return found

    def extra_repr(self) -> str:
        """Shown by print()."""
        return f"{self.config.rule}, {self.features} features of width {self.width}"

    def prepared(self, x_ND: Tensor) -> tuple[Tensor, Norms | None]:
        """Rows as the encoder reads them, and what decoding has to put back."""
        if x_ND.shape[-1] != self.width:
            raise UserError(
                f"These activations are {x_ND.shape[-1]} wide, this SAE reads {self.width}: "
                "it belongs to another model or hook point. Try lmmscope sae info"
            )
        x_ND = x_ND.to(self.W_enc.dtype)
        norms = None
        if self.config.normalised:
            norms = Norms(x_ND.mean(-1, keepdim=True), x_ND.std(-1, keepdim=True))
            x_ND = norms.taken_off(x_ND)
        x_ND = x_ND * self.config.scale if self.config.scale != 1 else x_ND
        return (x_ND - self.centre() if self.config.centred else x_ND), norms

    def encode(self, x_ND: Tensor) -> Code:
        """What fires in each row, gradients included; in training BatchTopK looks at all rows."""
        lead = x_ND.shape[:-1]
        ready_ND, _ = self.prepared(x_ND.reshape(-1, x_ND.shape[-1]))
        fired = self.fire(ready_ND)
        code = pieced(fired.code, fired.row_R)
        return Code(*(part.reshape(*lead, part.shape[-1]) for part in code))

    def fire(self, ready_ND: Tensor) -> Fired:
        """What fires in each prepared row, and the pre-activations behind it."""
        found_NK, at_NK, row_R = self._pick(ready_ND.detach())
        own_ND = ready_ND if row_R is None else ready_ND[row_R]
        pre_NK = preactivations(own_ND, self.W_enc, self.b_enc, found_NK, at_NK)
        if self.config.rule == "jumprelu" and self.training:
            values_NK = jump(pre_NK, self.threshold[at_NK]) * (found_NK > 0)
        else:
            values_NK = pre_NK.relu()
        return Fired(Code(values_NK, at_NK), pre_NK, row_R)

    @torch.no_grad()
    def _pick(self, ready_ND: Tensor) -> Pieces:
        config, rows = self.config, len(ready_ND)
        chunk, k = Chunk(ready_ND, self.W_enc, self.b_enc), self.config.k or 1
        if rows == 0:
            empty = ready_ND.new_zeros(0, k)
            return Pieces(empty, empty.long(), None)
        if config.rule == "topk":
            return self.strongest(largest(rows, k, config.features, chunk), k)
        if config.rule == "batchtopk" and self.training:
            return self.strongest_of_batch(
                largest_of_batch(rows, k, config.features, chunk), rows, k
            )
        least = self.threshold.clamp(min=0)
        if config.rule == "jumprelu" and self.training:
            least = (least - band(least) / 2).clamp(min=0)  # near misses move the thresholds
        return over(rows, least, config.features, chunk)

    def decode(self, code: Code, norms: Norms | None = None, row_R: Tensor | None = None) -> Tensor:
        """The rows that a code stands for; a normalising coder needs the norms of prepared().

        A code in pieces, as fire() gives it, needs their rows too.
        """
        lead = code.values_NK.shape[:-1] if row_R is None else (-1,)
        flat = Code(*(part.reshape(-1, part.shape[-1]) for part in code))
        made_ND = self.over_all(summed(decoded(flat, self.W_dec), row_R))
        x_ND = (made_ND + self.b_dec).reshape(*lead, self.width)
        if self.config.scale != 1:
            x_ND = x_ND / self.config.scale
        if norms is not None:
            x_ND = x_ND * norms.deviation_N1 + norms.mean_N1
        return x_ND

    def forward(self, x_ND: Tensor) -> Tensor:
        """Encode and decode."""
        ready_ND, norms = self.prepared(x_ND.reshape(-1, x_ND.shape[-1]))
        code, _, row_R = self.fire(ready_ND)
        return self.decode(code, norms, row_R).reshape(x_ND.shape)

    def unprepared(self, x_ND: Tensor, norms: Norms | None) -> Tensor:
        """Rows of the layer in the encoder's units: prepared() with norms that are known."""
        if norms is not None:
            x_ND = norms.taken_off(x_ND)
        x_ND = x_ND * self.config.scale
        return x_ND - self.b_dec if self.config.centred else x_ND

    def directions(self, features: Tensor) -> Tensor:
        """What each of some features adds to a row for a value of one."""
        return self.W_dec[features] / self.config.scale


class HasFeatures(Protocol):
    """Whatever has numbered features: a coder, an index."""

    @property
    def features(self) -> int:
        """F."""
        ...


def check_feature(coder: HasFeatures, feature: int) -> int:
    """The feature's number, if there is one."""
    if not 0 <= feature < coder.features:
        raise UserError(
            f"No feature {feature} in this SAE: it has {coder.features} "
            f"(0 to {coder.features - 1}). Try lmmscope sae info"
        )
    return feature


def check_finite(x_ND: Tensor, where: str) -> Tensor:
    """The activations, if every number in them is finite."""
    if not bool(torch.isfinite(x_ND).all()):
        bad = int((~torch.isfinite(x_ND)).any(-1).sum())
        raise UserError(
            f"NaN or infinite activations at {where} in {bad} of {x_ND[..., 0].numel()} positions: "
            "the model overflowed in this precision. Try float32 or bfloat16"
        )
    return x_ND
