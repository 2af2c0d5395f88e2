"""The paper's figures 4 to 17, drawn from what the profile's model and coder really do.

A module for each kind of figure chooses features by measured criteria and says which; where nothing
meets them it says so. `python -m benchmarks.paper.figures` draws them all.
"""
