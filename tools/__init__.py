"""What the agent can do: one file per tool, and in `tools.backends` the models that tools talk to.

A tool knows `sae_core` and `prompts`. It does not know who calls it, or what the result will prove.
"""
