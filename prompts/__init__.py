"""The prompts sent to models, one Markdown file each, and the strict loader in `prompts.template`.

Imports nothing of ours. It knows neither who sends a prompt nor how a reply is parsed.
"""

from prompts.template import Prompt, PromptError, load, names

__all__ = ["Prompt", "PromptError", "load", "names"]
