"""The agent: graph, planner, verification contract, findings, store, budget and batch.

It reaches models and numbers through `tools` and `sae_core` only, and knows neither the toybox
nor the review application nor the command line.
"""
