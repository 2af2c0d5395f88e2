"""The local web application: feature pages, run transcripts, a steering playground, verdicts.

It reads the agent's store and artefacts, and nothing else of ours: no model, no tool, no toybox.
"""
