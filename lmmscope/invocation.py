"""How to call this very installation again, for hints that can be pasted into a shell.

From a Makefile `lmmscope` is rarely on the PATH, so a hint that only says `lmmscope` would fail.
"""

import os
import shlex
import shutil
import sys
from pathlib import Path


def python() -> str:
    """The running interpreter as a shell word."""
    return _word(Path(sys.executable))


def installed(command: str) -> str:
    """A command beside the running interpreter; the bare name where PATH finds that very one."""
    script = Path(sys.executable).with_name(command)
    found = shutil.which(command)
    return command if not script.exists() or found == os.fspath(script) else _word(script)


def lmmscope() -> str:
    """The `lmmscope` command, which is always here, even in a checkout that was never installed."""
    script = Path(sys.executable).with_name("lmmscope")
    return installed("lmmscope") if script.exists() else f"{python()} -m lmmscope"


def _word(path: Path) -> str:
    """The shorter of the absolute path and the one from here, quoted where needed."""
    here = Path.cwd()
    if path.is_relative_to(here):
        path = path.relative_to(here)
    return shlex.quote(os.fspath(path))
