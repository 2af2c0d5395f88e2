"""What runs are called. Knows nothing else, so that whoever only names one loads nothing."""

import secrets
from datetime import UTC, datetime


def run_name() -> str:
    """A name that sorts by time and is short enough to type."""
    return f"{datetime.now(UTC):%m%d-%H%M%S}-{secrets.token_hex(2)}"
