"""Head to head with peers: each in an environment of its own, on the same rows, in one run.

`python -m benchmarks.peers` runs all of it: training, caching, attribution.
"""
