"""The errors that whoever reads a store may meet or raise: a mistake, and what is not to be had.

Knows their names only; the review application, which may import nothing of ours but `agent`, has
them from here.
"""

from sae_core.errors import UserError
from tools.failures import WontWork

__all__ = ["UserError", "WontWork"]
