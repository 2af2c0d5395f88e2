"""What it means when a served chat model fails: trying again may help, or it won't.

Knows the errors of the OpenAI client, which is loaded only where there is a server; nothing of what
the server was asked.
"""

from __future__ import annotations

import sys

from tools.failures import ToolFailure, TryAgain, WontWork


def failure_of(error: Exception) -> ToolFailure | None:
    """The failure behind an error of the client; None for any other error, which is a bug."""
    client = sys.modules.get("openai")
    if client is None or not isinstance(error, client.OpenAIError):
        return None
    passing = (client.APIConnectionError, client.RateLimitError, client.InternalServerError)
    if isinstance(error, passing):
        return TryAgain(f"The planner's server gave no reply: {error}. Is it running?")
    return WontWork(f"The planner's server refused: {error}. Check servers.planner in the profile")
