"""Looks at the machine: Python, cores, memory, accelerator, and whether a folder can be written.

It knows nothing of packages, profiles or models.
"""

import os
import platform
import sys
from pathlib import Path

from lmmscope.doctor_checks import Check, Section
from lmmscope.invocation import lmmscope, python

GIB = 2**30
TIGHT_MEMORY = 4 * GIB
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


def examine() -> list[Check]:
    """The machine in five lines."""
    return [
        Check.ok("machine", "python", f"{platform.python_version()}, {sys.executable}"),
        Check.ok("machine", "platform", f"{platform.platform(terse=True)}, {platform.machine()}"),
        Check.ok("machine", "cores", str(cores())),
        _memory(),
        _accelerator(),
    ]


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory() -> int | None:
    """Bytes of memory that this process may use; None where the system doesn't say."""
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None
    limit = _CGROUP_LIMIT.read_text().strip() if _CGROUP_LIMIT.is_file() else ""
    return min(total, int(limit)) if limit.isdecimal() else total


def writable(section: Section, name: str, folder: Path) -> Check:
    """Can files be written into the folder, or can it be made."""
    nearest = folder.absolute()
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    fix = f"LMMSCOPE_RUNS=ANOTHER_FOLDER {lmmscope()} doctor"
    if not nearest.is_dir():
        return Check.missing(section, name, f"{nearest} is no folder", fix)
    if not os.access(nearest, os.W_OK | os.X_OK):
        return Check.missing(section, name, f"{nearest} can't be written", fix)
    made = "" if folder.exists() else " (made when first needed)"
    return Check.ok(section, name, f"{folder.absolute()}{made}")


def _memory() -> Check:
    found = memory()
    if found is None:
        return Check.note("machine", "memory", "unknown: the system doesn't say")
    text = f"{found / GIB:.1f} GiB"
    if found < TIGHT_MEMORY:
        return Check.note("machine", "memory", f"{text}: tight, training may run out")
    return Check.ok("machine", "memory", text)


def _accelerator() -> Check:
    try:
        import torch
    except (ImportError, OSError) as error:
        reason = str(error).partition("\n")[0]
        fix = f"{python()} -m pip install --force-reinstall torch"
        return Check.missing("machine", "gpu", f"torch can't be imported: {reason}", fix)
    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        return Check.ok("machine", "gpu", ", ".join(names))
    if torch.backends.mps.is_available():
        return Check.ok("machine", "gpu", "Apple (mps)")
    return Check.note("machine", "gpu", "none: the toybox needs none, a large model does")
