"""Reads the values of a few features, without encoding the others wherever that can be helped.

Knows coders; nothing of what is done with the values. Under a threshold a feature depends on no
other. Under TopK it fires if fewer than k are larger, so where it is not even positive, or where k
of a few rivals are larger, the rest needs no look.

Shapes: B sequences, S positions, M features read of each sequence, N rows of any of them, U
features read of all, F features, D width.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sae_core.coders.coder import SparseCoder
from sae_core.coders.selection import rows_at_once

RIVALS = 8
"""One of how many features is a rival."""
FEW = 1 << 16
"""So few pre-activations are made sooner than spared."""
SLACK = 1.001
"""By how much a rival has to be larger: its value may come out a little otherwise in a product of
another size."""


class Reader:
    """The encoder's part for some features of each sequence, gathered once for many passes."""

    def __init__(self, coder: SparseCoder, feature_BM: Tensor) -> None:
        self.coder, self.feature_BM = coder, feature_BM
        self.weight_BDM = coder.W_enc[feature_BM].transpose(1, 2).contiguous()
        self.bias_B1M = coder.b_enc[feature_BM][:, None]
        self.least_B1M = coder.threshold[feature_BM][:, None].clamp(min=0)
        """What a value has to exceed, whatever the others are."""

    def __call__(self, ready_BSD: Tensor, least_BSM: Tensor) -> Tensor | None:
        """Their values after selection where they exceed so much [B, S, M]; None where none does.

        No value exceeds infinity, so positions that nobody asks for need not even be numbers.
        """
        pre_BSM = torch.baddbmm(self.bias_B1M, ready_BSD, self.weight_BDM)
        near_BSM = pre_BSM > least_BSM
        if not bool(near_BSM.any()):
            return None
        if self.coder.config.rule != "topk":
            return torch.where(near_BSM, pre_BSM, 0)
        values_BSM = torch.zeros_like(pre_BSM)
        near = near_BSM.any(-1).nonzero(as_tuple=True)
        step = rows_at_once(self.coder.features * pre_BSM.shape[2], pre_BSM.device)
        for at in zip(*(each.split(step) for each in near), strict=True):
            ready_ND, feature_NM = ready_BSD[at], self.feature_BM[at[0]]
            if len(ready_ND) * self.coder.features > FEW:
                open_N = _open(self.coder, ready_ND, torch.where(near_BSM[at], pre_BSM[at], 0))
                ready_ND, feature_NM = ready_ND[open_N], feature_NM[open_N]
                at = tuple(each[open_N] for each in at)
            values_BSM[at] = _encoded(self.coder, ready_ND, feature_NM)
        return values_BSM


def values_of(coder: SparseCoder, x_ND: Tensor, features: Tensor) -> Tensor:
    """The values of the same few features in all rows, after selection."""
    reader = Reader(coder, features[None])
    found_BNU = reader(coder.prepared(x_ND)[0][None], reader.least_B1M)
    return x_ND.new_zeros(len(x_ND), len(features)) if found_BNU is None else found_BNU[0]


def _open(coder: SparseCoder, ready_ND: Tensor, alone_NM: Tensor) -> Tensor:
    """In which rows a feature could fire, for all that its rivals say."""
    k = coder.config.k or 1
    rivals = max(k, coder.features // RIVALS)
    pre_NF = torch.addmm(coder.b_enc[:rivals], ready_ND, coder.W_enc[:rivals].T)
    return ((_larger(pre_NF, alone_NM * SLACK) < k) & (alone_NM > 0)).any(1)


def _encoded(coder: SparseCoder, ready_ND: Tensor, feature_NM: Tensor) -> Tensor:
    """The values of some features in rows of which all others are looked at."""
    pre_NF = torch.addmm(coder.b_enc, ready_ND, coder.W_enc.T)
    own_NM = pre_NF.gather(1, feature_NM)
    return own_NM.relu() * (_larger(pre_NF, own_NM) < (coder.config.k or 1))


def _larger(pre_NF: Tensor, value_NM: Tensor) -> Tensor:
    """How many of a row are larger; counting takes a fifth of the time of finding the k largest."""
    return (pre_NF[:, None] > value_NM[..., None]).sum(-1)
