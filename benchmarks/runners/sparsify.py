"""One run of sparsify's coder, with the steps of its own trainer."""

import torch
from common import Task
from sparsify import SparseCoder, SparseCoderConfig

task = Task()
coder = SparseCoder(task["width"], SparseCoderConfig(num_latents=task["features"], k=task["k"]))
optimiser = torch.optim.Adam(coder.parameters(), lr=task["rate"])
for step, rows in enumerate(task.batches()):
    if step == 0:
        coder.b_dec.data.copy_(rows.mean(0))
    coder.set_decoder_norm_to_unit_norm()
    optimiser.zero_grad()
    coder(rows).fvu.backward()
    coder.remove_gradient_parallel_to_decoder_directions()
    optimiser.step()
task.finish(lambda rows: coder(rows).sae_out)
