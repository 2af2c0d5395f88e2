"""Numbers only: sparse coders, checkpoint formats, adapters and hooks for large multimodal models.

Training, steering, attribution, the feature index and metrics belong here too. It imports nothing
else of ours, and knows no agent, prompt, HTTP, LangGraph or SQLite.
"""
