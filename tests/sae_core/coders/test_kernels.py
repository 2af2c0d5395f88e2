"""The GPU's kernels against the CPU's products. Without a GPU, Triton's interpreter can run them:

TRITON_INTERPRET=1 python -m pytest tests/sae_core/coders/test_kernels.py
"""

import os

import pytest
import torch

pytest.importorskip("triton", reason="Triton comes with torch's builds for GPUs")
INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
if not (INTERPRETED or torch.cuda.is_available()):
    pytest.skip("needs a GPU or TRITON_INTERPRET=1", allow_module_level=True)

kernels = pytest.importorskip("sae_core.coders.kernels")
from_cpu = pytest.importorskip("sae_core.coders.sparse")

WHERE = "cpu" if INTERPRETED else "cuda"


@pytest.mark.parametrize(
    ("rows", "slots", "features", "width"), [(5, 3, 7, 4), (9, 20, 40, 300), (4, 32, 64, 512)]
)
def test_kernels_equal_the_cpu_products(rows, slots, features, width):
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(rows, slots, generator=generator)
    indices = torch.randint(0, features, (rows, slots), generator=generator)
    table = torch.randn(features, width, generator=generator)
    x = torch.randn(rows, width, generator=generator)
    on = [t.to(WHERE) for t in (values, indices, table, x)]
    close = {"atol": 1e-4, "rtol": 1e-5}
    made = kernels.weighted_rows(on[0], on[1], on[2]).cpu()
    torch.testing.assert_close(made, from_cpu.weighted_rows(values, indices, table), **close)
    made = kernels.row_products(on[3], on[1], on[2]).cpu()
    torch.testing.assert_close(made, from_cpu.row_products(x, indices, table), **close)
    flat = indices.reshape(-1)
    order = flat.argsort()
    starts = torch.nn.functional.pad(torch.bincount(flat, minlength=features).cumsum(0), (1, 0))
    given = (values.reshape(-1)[order], order // slots, starts, x)
    made = kernels.outer_sums(*(t.to(WHERE) for t in given)).cpu()
    torch.testing.assert_close(made, from_cpu.outer_sums(values, indices, x, features), **close)
