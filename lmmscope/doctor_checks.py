"""What the doctor found: one Check a fact, and the Diagnosis that holds them all.

It knows neither what is looked at nor how it is shown.
"""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, computed_field

Section = Literal["machine", "packages", "layout", "profile", "models", "data", "servers", "plan"]
State = Literal["ok", "missing", "note"]


class Check(BaseModel):
    """One thing that was looked at."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    section: Section
    """What it belongs to."""
    name: str
    """What was looked at."""
    state: State
    """Is it fit for use; a note is worth knowing, but nothing needs it."""
    found: str
    """What was found, in a few words."""
    fix: str | None = None
    """The next command to run about it."""
    files: dict[str, int] = {}
    """Bytes of each file, where it is a folder."""

    @classmethod
    def ok(
        cls, section: Section, name: str, found: str, files: dict[str, int] | None = None
    ) -> Self:
        """It is there and fit for use."""
        return cls(section=section, name=name, state="ok", found=found, files=files or {})

    @classmethod
    def note(cls, section: Section, name: str, found: str, fix: str | None = None) -> Self:
        """It is worth knowing; nothing needs it."""
        return cls(section=section, name=name, state="note", found=found, fix=fix)

    @classmethod
    def missing(
        cls,
        section: Section,
        name: str,
        found: str,
        fix: str,
        files: dict[str, int] | None = None,
    ) -> Self:
        """It is needed, and not there or broken."""
        return cls(
            section=section, name=name, state="missing", found=found, fix=fix, files=files or {}
        )


class Diagnosis(BaseModel):
    """All that was found."""

    profile: str
    """By its name, or its file."""
    checks: list[Check]

    @computed_field
    @property
    def healthy(self) -> bool:
        """Is everything there that is needed."""
        return all(check.state != "missing" for check in self.checks)
