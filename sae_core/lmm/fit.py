"""Whether a coder and a model belong together.

Knows widths and hook points; nothing of what is done with the two.
"""

from __future__ import annotations

from sae_core.coders.coder import SparseCoder
from sae_core.errors import UserError
from sae_core.lmm.adapter import Adapter


def check_fits(adapter: Adapter, coder: SparseCoder, hook: str) -> None:
    """Refuse a hook point that the model lacks, and a coder of another width or hook point."""
    adapter.block(hook)
    if coder.config.hook not in ("", hook):
        raise UserError(
            f"This SAE was trained on {coder.config.hook}, not on {hook}: its features mean "
            f"nothing there. Try {coder.config.hook}"
        )
    if coder.width != adapter.width():
        raise UserError(
            f"This SAE reads activations {coder.width} wide, those of this {adapter.name} at "
            f"{hook} are {adapter.width()} wide: it belongs to another model. "
            "Try lmmscope sae info"
        )
