"""What is kept of all runs: one SQLite file, `findings.db`, beside the artefacts.

`Store` writes and reads, `Reader` reads alone, `FoundOut` is what tools may know of it.
"""

from agent.store.known import FoundOut
from agent.store.reader import Reader
from agent.store.records import RunRecord, Verdict
from agent.store.store import Store

__all__ = ["FoundOut", "Reader", "RunRecord", "Store", "Verdict"]
