"""One training at a time for each checkpoint.

Knows files and processes; nothing of what is trained. The lock is the system's, on a file beside
the checkpoint: it is gone with whoever held it, however that ended. What stands in the file only
says who it is.
"""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sae_core.errors import UserError


@contextmanager
def held(checkpoint: Path) -> Generator[None]:
    """Inside, nobody else trains into this checkpoint; refused where somebody does."""
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    with checkpoint.with_suffix(".lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "another process"
            raise UserError(
                f"{checkpoint} is being trained by {holder}. Wait until that ends, stop it, or "
                "train under another name"
            ) from None
        # The file stays: were it deleted, two could hold a lock on what has the same name.
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        yield
