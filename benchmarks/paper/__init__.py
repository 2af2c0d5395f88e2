"""The paper's tables and figures, measured here: `python -m benchmarks.paper` lists them."""
