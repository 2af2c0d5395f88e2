"""What a batch would take with other numbers of workers, explainers and GPUs, in simulated time.

`python -m benchmarks.simulate` replays measured features; `--plan` works out the tables of
docs/scale.md.
"""
