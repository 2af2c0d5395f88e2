"""One feature of a `Scope`: its evidence, its pictures, and what was found out about it.

Knows two of the agent's tools; everything is gathered when it is first looked at.
"""

from __future__ import annotations

from functools import cached_property
from html import escape
from typing import TYPE_CHECKING

from lmmscope.showing import image

if TYPE_CHECKING:
    from PIL import Image

    from agent.findings import FeatureFinding
    from lmmscope.scope import Scope
    from tools.evidence import Evidence
    from tools.masking import Style
    from tools.render_masks import RenderMasksResult
    from tools.top_images import TopImagesResult


class Feature:
    """A feature; in a notebook, the sheet of its pictures."""

    def __init__(self, scope: Scope, number: int) -> None:
        self.scope, self.number = scope, number

    def __repr__(self) -> str:
        return f"Feature({self.number})"

    @cached_property
    def statistics(self) -> TopImagesResult:
        """How often and how strongly it fires, and its neighbours."""
        return self.scope.tool("top_images", feature=self.number)

    @cached_property
    def evidence(self) -> Evidence:
        """The explore pictures that show it: strong, weak and silent ones."""
        from tools.evidence import Evidence

        return self.scope.artefacts.document(self.statistics.evidence, Evidence)

    @property
    def finding(self) -> FeatureFinding | None:
        """The latest finding about it; None while there is none."""
        if not (self.scope.settings.runs / "findings.db").exists():
            return None
        with self.scope.store() as store:
            return store.latest(self.number, self.evidence.coder)

    def pictures(self, style: Style = "outline", limit: int = 8) -> tuple[Image.Image, ...]:
        """Its first pictures, with the places where it fires."""
        shown = self._rendered(style, limit, sheet=False)
        return tuple(self.scope.artefacts.picture(one.shown) for one in shown.pictures)

    def sheet(self, style: Style = "outline", limit: int = 16) -> Image.Image:
        """The same on one sheet, with captions."""
        shown = self._rendered(style, limit, sheet=True)
        assert shown.sheet is not None
        return self.scope.artefacts.picture(shown.sheet)

    def _rendered(self, style: Style, limit: int, *, sheet: bool) -> RenderMasksResult:
        evidence = self.statistics.evidence
        return self.scope.tool(
            "render_masks", evidence=evidence, style=style, limit=limit, sheet=sheet
        )

    def _repr_html_(self) -> str:
        known = self.finding
        told = f"<p>{escape(known.summary)}</p>" if known else ""
        return f"{image(self.sheet())}{told}"
