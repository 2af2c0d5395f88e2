"""The one place that builds things from a profile.

It knows every package's constructors and nothing of what is done with the result.
"""

from importlib.util import find_spec
from pathlib import Path

from lmmscope.settings import Settings
from sae_core.errors import UserError

SHIPPED = "toybox:"


def model_folder(name: str) -> Path:
    """The folder that a model's name in a profile stands for: a path, or `toybox:ROLE`."""
    if not name.startswith(SHIPPED):
        return Path(name).expanduser()
    toybox = find_spec("toybox")
    if toybox is None or toybox.origin is None:
        raise UserError(
            f"{name!r} needs the package toybox, which is not installed. Try lmmscope doctor"
        )
    return Path(toybox.origin).parent / "weights" / name.removeprefix(SHIPPED)


def use_threads(settings: Settings) -> None:
    """Limit torch to the profile's number of CPU threads, where it gives one."""
    if settings.threads is not None:
        import torch

        torch.set_num_threads(settings.threads)
