"""The command line, the profiles, and the one place that wires the other packages together.

Importing it does nothing; the heavy packages are imported inside the commands that use them.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("lmmscope")
except PackageNotFoundError:  # run from a checkout that was never installed
    __version__ = "not installed"
