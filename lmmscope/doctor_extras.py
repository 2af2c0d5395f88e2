"""Looks at the optional packages that a profile needs, and names the extra that brings them.

It imports none of them.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import NamedTuple

from lmmscope import hub
from lmmscope.doctor_checks import Check
from lmmscope.doctor_data import KEYS
from lmmscope.invocation import python
from lmmscope.settings import Settings


class Extra(NamedTuple):
    """An extra of ours, and the packages that make it."""

    name: str
    packages: tuple[str, ...]
    why: str


QUANTISED = Extra("quantised", ("bitsandbytes", "accelerate"), "bits")
PARQUET = Extra("parquet", ("pyarrow",), "Parquet files")
GROUNDED_SAM = Extra("grounded-sam", ("groundingdino", "segment_anything"), "models.text_encoder")


def examine(settings: Settings) -> list[Check]:
    """Each extra that the profile needs and that is not whole."""
    return [check for extra in _needed(settings) if (check := _check(extra)) is not None]


def _needed(settings: Settings) -> list[Extra]:
    sources = [getattr(settings.data, key) or "" for key in KEYS]
    tables = any(s.startswith(hub.HUB) or ".parquet" in s for s in sources)
    wanted = {
        QUANTISED: settings.bits is not None,
        PARQUET: tables,
        GROUNDED_SAM: settings.models.text_encoder is not None,
    }
    return [extra for extra, needed in wanted.items() if needed]


def _check(extra: Extra) -> Check | None:
    lacking = [name for name in extra.packages if find_spec(name) is None]
    if not lacking:
        return None
    found = f"{' and '.join(lacking)} not installed; {extra.why} of the profile needs it"
    fix = f"{python()} -m pip install 'lmmscope[{extra.name}]'"
    return Check.missing("packages", extra.name, found, fix)
