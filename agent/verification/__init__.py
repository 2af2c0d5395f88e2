"""The sealed verification: a claim against pictures that nobody has looked at, once.

It is code that no model can skip, edit or see into. `verify` runs it, `chance_of` says how sure a
claim is alone and `among` how sure among a batch's others.
"""

from agent.verification.batch import among
from agent.verification.checks import chance_of
from agent.verification.verify import TooRare, verify

__all__ = ["TooRare", "among", "chance_of", "verify"]
