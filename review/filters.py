"""Which findings a page is about, as its address says it: the same names in every list.

Knows addresses and what is wanted; nothing of what is found.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, model_validator

from review.queries.findings import MEASURES, Range, Wanted

NO_CATEGORY = "(none)"
"""Stands in addresses for findings that have none."""
Text = Annotated[str, Field(max_length=200)]
Limit = Annotated[float | None, Field(allow_inf_nan=False)]
Sort = Literal["date", "feature", "label", "iou", "clip", "consistency", "balanced_accuracy",
               "auroc", "apart", "fit"]  # fmt: skip
IN_SIGHT = frozenset({"q", "status", "category", "judged", "sort", "way", "after"})
UPWARDS = ("feature", "label")
"""What one reads from the beginning; of all else the greatest comes first."""


class Filters(BaseModel):
    """The filters of an address; what is left empty is not asked for."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    q: Text = ""
    status: Text = ""
    category: Text = ""
    kind: Literal["", "feature", "behaviour"] = ""
    coder: Text = ""
    run: Text = ""
    tag: Text = ""
    judged: Literal["", "yes", "no"] = ""
    earlier: Literal["", "yes"] = ""
    iou_from: Limit = None
    iou_to: Limit = None
    clip_from: Limit = None
    clip_to: Limit = None
    consistency_from: Limit = None
    consistency_to: Limit = None
    balanced_accuracy_from: Limit = None
    balanced_accuracy_to: Limit = None
    auroc_from: Limit = None
    auroc_to: Limit = None
    apart_from: Limit = None
    apart_to: Limit = None

    @model_validator(mode="before")
    @classmethod
    def _filled_in(cls, given: Any) -> Any:
        """A form sends every field, empty or not."""
        return {name: value for name, value in given.items() if value != ""}

    @property
    def wanted(self) -> Wanted:
        """The same as queries take it."""
        judged = {"yes": True, "no": False}.get(self.judged)
        return Wanted(
            status=self.status or None,
            category="" if self.category == NO_CATEGORY else self.category or None,
            kind=self.kind or None,
            coder=self.coder or None,
            run=self.run or None,
            earlier=bool(self.earlier),
            words=self.q,
            tag=self.tag or None,
            judged=judged,
            scores={name: limits for name in (*MEASURES, "apart") if (limits := self.range(name))},
        )

    def range(self, name: str) -> Range | None:
        """Between what a score has to be; None: whatever it is, if there is one at all or not."""
        low, high = getattr(self, f"{name}_from"), getattr(self, f"{name}_to")
        return None if low is None and high is None else Range(low, high)

    @property
    def given(self) -> dict[str, Any]:
        """What is asked for, in the order of the fields."""
        return self.model_dump(exclude_defaults=True)

    def address(self, path: str, **others: Any) -> str:
        """The tidy address of a page about these findings; `others` are named beside, None: not."""
        kept = {**self.given, **others}
        asked = urlencode({name: value for name, value in kept.items() if value is not None})
        return f"{path}?{asked}" if asked else path


class Listed(Filters):
    """The filters of a list, with its order."""

    sort: Sort | None = None
    """None: what fits the words best, or else the latest first."""
    way: Literal["up", "down"] | None = None
    meaning: Literal["", "yes"] = ""
    """The words are looked for by what they mean."""
    after: Text | None = None

    @property
    def order(self) -> tuple[str, bool]:
        """What it is sorted by, and whether the greatest come first."""
        by = self.sort or ("fit" if self.q.strip() else "date")
        return by, by not in UPWARDS if self.way is None else self.way == "down"

    @property
    def deeper(self) -> bool:
        """Whether more is asked for than what is always in sight."""
        return not self.given.keys() <= IN_SIGHT

    def sorted_by(self, by: str) -> str:
        """The address of this list by another column, or the other way round."""
        now, descending = self.order
        down = not descending if by == now else by not in UPWARDS
        return self.address("/findings", sort=by, way="down" if down else "up", after=None)


Asked = Annotated[Filters, Query()]
AskedList = Annotated[Listed, Query()]
