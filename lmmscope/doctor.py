"""Looks at what is installed, and which models, data and servers of a profile are there.

It works out what the profile will take, too. It only looks: it installs, loads and starts nothing.
What is looked at is in doctor_*.py, how the result is shown in doctor_view.
"""

from pathlib import Path

from lmmscope import (
    doctor_data,
    doctor_extras,
    doctor_machine,
    doctor_models,
    doctor_packages,
    doctor_plan,
    doctor_servers,
    doctor_training,
)
from lmmscope.doctor_checks import Check, Diagnosis
from lmmscope.settings import PROFILES, Settings, load_settings, overrides, profile_path


def examine(profile: str | None = None) -> Diagnosis:
    """Everything that can be known about a profile without loading a model."""
    settings = load_settings(profile)
    servers = doctor_servers.examine(settings)
    running = [check.name for check in servers if check.state == "ok"]
    asked = _asked(settings, profile)
    return Diagnosis(
        profile=asked,
        checks=[
            *doctor_machine.examine(),
            *doctor_packages.examine(),
            *doctor_extras.examine(settings),
            *_profile(settings, profile_path(profile)),
            *doctor_models.examine(settings, asked),
            *doctor_data.examine(settings),
            *servers,
            *doctor_plan.examine(settings, running),
            *doctor_training.examine(settings),
        ],
    )


def _asked(settings: Settings, profile: str | None) -> str:
    """How commands name the profile: a shipped one by its name, another by its file."""
    path = profile_path(profile)
    return settings.name if path.parent == PROFILES else str(path)


def _profile(settings: Settings, path: Path) -> list[Check]:
    """Where the settings come from, and whether runs can be written."""
    source = str(path)
    if names := overrides():
        source += f", overruled by {', '.join(names)}"
    threads = str(settings.threads) if settings.threads else "left to torch"
    return [
        Check.ok("profile", settings.name, source),
        Check.ok("profile", "threads", threads),
        doctor_machine.writable("profile", "runs", settings.runs),
    ]
