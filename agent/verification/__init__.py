"""The sealed verification: a claim against pictures that nobody has looked at, once.

It is code that no model can skip, edit or see into. `verify` runs it, `corrected` says which of a
batch's findings are still discoveries.
"""

from agent.verification.batch import adjusted, corrected
from agent.verification.verify import TooRare, verify

__all__ = ["TooRare", "adjusted", "corrected", "verify"]
