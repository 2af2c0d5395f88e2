"""Reading a few features gives what encoding all of them gives, by whichever way it is found."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sae_core.coders.coder import CoderConfig, SparseCoder
from sae_core.coders.sparse import Code
from sae_core.lmm.layout import TEXT, Layout
from sae_core.steering import reading
from sae_core.steering.hook import Steerer
from sae_core.steering.plan import Intervention, Row
from sae_core.steering.reading import Reader

WIDTH, FEATURES, PROMPT, LATER = 8, 400, 5, 4
RULES = {
    "few fire": {"k": 3},
    "many fire": {"k": 60},
    "all fire": {"k": FEATURES},
    "jumprelu": {"rule": "jumprelu"},
    "batchtopk": {"rule": "batchtopk", "k": 9},
    "normalised": {"k": 9, "normalised": True},
    "scaled": {"k": 9, "scale": 3.0, "centred": False},
}


@pytest.fixture(params=["encoded at once", "rivals first", "row by row"])
def way(request, monkeypatch):
    """Each way must give the same, whichever the sizes would choose."""
    if request.param != "encoded at once":
        monkeypatch.setattr(reading, "FEW", 0)
    if request.param == "row by row":
        monkeypatch.setattr(reading, "rows_at_once", lambda *_: 1)


def coder_of(rule, seed):
    torch.manual_seed(seed)
    coder = SparseCoder(CoderConfig(width=WIDTH, features=FEATURES, **RULES[rule]))
    with torch.no_grad():
        coder.b_dec.normal_(std=0.1)
        coder.b_enc.normal_(std=0.1)
        if coder.config.rule != "topk":
            coder.threshold.uniform_(-0.2, 1.5)
    return coder.eval()


def dense(coder, x_NSD):
    """Every feature's value, from the coder itself."""
    return coder.encode(x_NSD).dense(coder.features)


@pytest.mark.usefixtures("way")
@torch.no_grad()
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("seed", range(3))
def test_each_sequences_own_features_have_the_values_of_the_whole_code(rule, seed):
    coder = coder_of(rule, seed)
    x_BSD, feature_BM = torch.randn(3, 7, WIDTH) * 2, torch.randint(0, FEATURES, (3, 40))
    reader = Reader(coder, feature_BM)
    found = reader(coder.prepared(x_BSD)[0], reader.least_B1M)
    wanted = dense(coder, x_BSD).gather(2, feature_BM[:, None].expand(-1, 7, -1))
    assert bool(wanted.any())
    torch.testing.assert_close(found, wanted)


@pytest.mark.usefixtures("way")
@torch.no_grad()
@pytest.mark.parametrize("rule", ["few fire", "jumprelu"])
def test_positions_that_nobody_asks_for_need_not_be_numbers(rule):
    coder, x_BSD = coder_of(rule, 0), torch.randn(1, 6, WIDTH)
    feature_BM = torch.arange(FEATURES)[None]
    reader = Reader(coder, feature_BM)
    least_BSM = reader.least_B1M.repeat(1, 6, 1)
    least_BSM[:, 2] = torch.inf
    broken_BSD = x_BSD.clone()
    broken_BSD[:, 2] = torch.nan
    found = reader(coder.prepared(broken_BSD)[0], least_BSM)
    assert found is not None
    wanted = dense(coder, x_BSD)
    wanted[:, 2] = 0
    torch.testing.assert_close(found, wanted)


@torch.no_grad()
def test_features_that_nowhere_fire_cost_no_look_at_the_others(monkeypatch):
    coder = coder_of("few fire", 0)
    coder.b_enc[7] = -1000
    monkeypatch.setattr(reading, "_encoded", None)  # a call would fail
    reader = Reader(coder, torch.tensor([[7]]))
    assert reader(torch.randn(1, 5, WIDTH), reader.least_B1M) is None


@pytest.mark.usefixtures("way")
@torch.no_grad()
def test_equals_at_the_border_of_topk_all_fire():
    """The coder itself would choose any k of them."""
    coder = coder_of("few fire", 0)
    coder.W_enc[:], coder.b_enc[:] = coder.W_enc[0].clone(), 1.0
    reader = Reader(coder, torch.tensor([[3, 200]]))
    found = reader(coder.W_enc[None, :1], reader.least_B1M)
    assert found is not None
    assert bool((found > 0).all())


def decoded(coder, z_BSF, norms):
    every = torch.arange(FEATURES).expand_as(z_BSF)
    return coder.decode(Code(z_BSF, every), norms)


@torch.no_grad()
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("kind", ["clamp", "add", "scale", "ablate"])
@settings(max_examples=4)
@given(seed=st.integers(0, 99), where=st.sampled_from(["all", "text", "generated"]))
def test_token_by_token_each_row_is_written_as_if_all_were_encoded(rule, kind, seed, where):
    coder, rows = coder_of(rule, seed), 3
    x_BSD = torch.randn(rows, PROMPT + LATER, WIDTH) * 2
    value = None if kind == "ablate" else 2.5
    norms = coder.prepared(x_BSD)[1]
    before_BSF = dense(coder, x_BSD)
    feature_B = before_BSF[:, -1].argmax(1)  # fires where tokens are generated
    after_BSF = before_BSF.clone()
    here = {"all": slice(None), "text": slice(PROMPT), "generated": slice(PROMPT, None)}[where]
    for b, f in enumerate(feature_B.tolist()):
        z_S = before_BSF[b, here, f]
        new = {"clamp": 0 * z_S + 2.5, "add": z_S + 2.5, "scale": z_S * 2.5, "ablate": 0 * z_S}
        after_BSF[b, here, f] = new[kind]
    wanted = x_BSD + decoded(coder, after_BSF, norms) - decoded(coder, before_BSF, norms)
    none = torch.full((PROMPT,), -1, dtype=torch.int16)
    kinds = torch.full((PROMPT,), TEXT, dtype=torch.int8)
    layout = Layout(kinds, none, torch.zeros(PROMPT, 4), ())
    plan = [
        Row((Intervention(feature=f, kind=kind, value=value, where=where),))
        for f in feature_B.tolist()
    ]
    for few in (0, 1 << 16):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(reading, "FEW", few)
            steerer = Steerer(coder, [layout] * rows, plan, "strict")
            parts = [steerer(part) for part in x_BSD.split([PROMPT, *[1] * LATER], 1)]
        torch.testing.assert_close(torch.cat(parts, 1), wanted, atol=2e-4, rtol=1e-4)
