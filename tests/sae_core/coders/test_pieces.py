"""Rows that fire much more than others: exact, and paid for by what fires, not by the widest."""

import pytest
import torch

from sae_core.coders import selection
from sae_core.coders.coder import CoderConfig, SparseCoder
from sae_core.coders.sparse import pieced
from sae_core.training.losses import loss_of

FEATURES = 400


def uneven(rule, training, **more):
    """A coder, and rows of which the eighth fires far more than the others."""
    torch.manual_seed(0)
    coder = SparseCoder(CoderConfig(width=6, features=FEATURES, rule=rule, k=2, **more)).double()
    with torch.no_grad():
        coder.b_enc.normal_(std=0.01)
        coder.b_dec.normal_(std=0.01)
        coder.threshold.fill_(0 if training and rule == "batchtopk" else 3.0)
    x_ND = torch.randn(60, 6).double()
    x_ND[7] *= 100
    return coder.train(training), x_ND


CASES = [("batchtopk", True), ("batchtopk", False), ("jumprelu", True), ("jumprelu", False)]


@pytest.mark.parametrize(("rule", "training"), CASES)
def test_slots_are_bounded_by_what_fires(rule, training):
    coder, x_ND = uneven(rule, training)
    code, _, row_R = coder.fire(coder.prepared(x_ND)[0])
    fires_N = pieced(code, row_R).fired().sum(1)
    assert fires_N[7] > 20 * fires_N.double().mean()  # one row of the widest would be for nothing
    mean = -(-int(fires_N.sum()) // len(x_ND)) + 1  # near misses of a jumprelu have slots too
    assert code.values_NK.numel() <= 2 * selection.WIDER * mean * len(x_ND)


@pytest.mark.parametrize(("rule", "training"), CASES)
def test_codes_and_gradients_are_those_of_rows_in_one_piece(rule, training, monkeypatch):
    found = []
    for wider in (selection.WIDER, FEATURES):
        monkeypatch.setattr(selection, "WIDER", wider)
        coder, x_ND = uneven(rule, training, groups=(40, FEATURES))
        cut = coder.fire(coder.prepared(x_ND)[0]).row_R is not None
        loss = loss_of(coder, x_ND)
        loss.total.backward()
        found.append((coder, coder.encode(x_ND).dense(FEATURES), coder(x_ND), loss, cut))
    (ours, code, made, loss, cut), (theirs, code_, made_, loss_, cut_) = found
    assert cut
    assert not cut_
    torch.testing.assert_close((code, made), (code_, made_))
    torch.testing.assert_close((loss.total, loss.l0), (loss_.total, loss_.l0))
    for (name, a), b in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad, msg=lambda m, n=name: f"{n}: {m}")


def test_a_row_of_which_nothing_fires_keeps_its_place():
    coder, x_ND = uneven("jumprelu", training=False)
    x_ND[[0, 30, 59]] = coder.b_dec.detach()
    z_NF = (x_ND - coder.b_dec) @ coder.W_enc.T + coder.b_enc
    z_NF = torch.where(z_NF > coder.threshold, z_NF, 0)
    assert not z_NF[[0, 30, 59]].any()
    torch.testing.assert_close(coder.encode(x_ND).dense(FEATURES), z_NF)
    torch.testing.assert_close(coder(x_ND), z_NF @ coder.W_dec + coder.b_dec)
    assert coder.fire(coder.prepared(x_ND)[0]).row_R is not None


def test_leading_dimensions_of_rows_in_pieces_are_kept():
    coder, x_ND = uneven("jumprelu", training=False)
    x_BTD = x_ND.view(4, 15, 6)
    assert coder.encode(x_BTD).values_NK.shape[:2] == (4, 15)
    torch.testing.assert_close(coder(x_BTD).view(60, 6), coder(x_ND))
