"""Looks at packages: installed versions against those needed, and where our own come from.

It knows nothing of the machine, profiles or models.
"""

import shlex
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, packages_distributions, requires, version
from importlib.util import find_spec
from pathlib import Path

from packaging.requirements import Requirement

import lmmscope
from lmmscope.doctor_checks import Check
from lmmscope.invocation import python

OURS = ("lmmscope", "agent", "tools", "sae_core", "prompts", "toybox", "review", "benchmarks")
"""Plain top-level names: another distribution or folder can shadow any of them."""
OPTIONAL = "serve"
"""The one extra that commands use; `dev` is for working on lmmscope itself."""


def examine() -> list[Check]:
    """Every requirement, then every package of ours."""
    return [*_requirements(), *_torchvision(), *_layout(package_homes())]


def _requirements() -> list[Check]:
    try:
        lines = requires("lmmscope") or []
    except PackageNotFoundError:
        root = shlex.quote(str(_home()))
        fix = f"{python()} -m pip install -e {root}"
        return [Check.missing("packages", "lmmscope", "not installed, run from its folder", fix)]
    checks = []
    for requirement in map(Requirement, lines):
        marker = requirement.marker
        if marker is None or marker.evaluate({"extra": ""}):
            checks.append(requirement_check(requirement, needed=True))
        elif marker.evaluate({"extra": OPTIONAL}):
            checks.append(requirement_check(requirement, needed=False))
    return checks


def requirement_check(requirement: Requirement, *, needed: bool) -> Check:
    """One requirement against what is installed."""
    wish = f"{requirement.name}{requirement.specifier}"
    try:
        installed = version(requirement.name)
    except PackageNotFoundError:
        installed = None
    if installed and requirement.specifier.contains(installed, prereleases=True):
        return Check.ok("packages", requirement.name, f"{installed} ({requirement.specifier})")
    found = f"{installed}, needed is {requirement.specifier}" if installed else "not installed"
    fix = f"{python()} -m pip install {shlex.quote(wish)}"
    if needed:
        return Check.missing("packages", requirement.name, found, fix)
    return Check.note("packages", requirement.name, f"{found}; only for transformers serve", fix)


def _torchvision() -> list[Check]:
    """Nothing of ours needs it; but where it is and does not fit torch, no LLaVA class imports."""
    if find_spec("torchvision") is None:
        return []
    try:
        import torchvision  # noqa: F401  # ty: ignore[import-not-found]
    except (ImportError, RuntimeError, OSError, AttributeError) as error:
        reason = str(error).partition("\n")[0]
        fix = f"{python()} -m pip uninstall -y torchvision"
        return [Check.missing("packages", "torchvision", f"does not fit torch: {reason}", fix)]
    return [Check.ok("packages", "torchvision", "fits torch")]


def package_homes() -> dict[str, Path | None]:
    """The folder that each of our packages would be imported from."""
    homes: dict[str, Path | None] = {}
    for name in OURS:
        spec = find_spec(name)
        places = list(spec.submodule_search_locations or ()) if spec else []
        homes[name] = Path(places[0]).parent if places else None
    return homes


def _home() -> Path:
    return Path(lmmscope.__file__).parent.parent


def _layout(homes: Mapping[str, Path | None]) -> list[Check]:
    """All of ours from one folder, or whichever come from elsewhere."""
    here = _home()
    strays = [layout_check(name, home, here) for name, home in homes.items() if home != here]
    return strays or [Check.ok("layout", "packages", f"all {len(homes)} from {here}")]


def layout_check(name: str, home: Path | None, here: Path) -> Check:
    """A package that is not where `here` is."""
    if home is None:
        fix = f"{python()} -m pip install --force-reinstall --no-deps {shlex.quote(str(here))}"
        return Check.missing("layout", name, f"not found, expected in {here}", fix)
    owners = [owner for owner in packages_distributions().get(name, ()) if owner != "lmmscope"]
    if owners:
        fix = f"{python()} -m pip uninstall -y {' '.join(owners)}"
    else:
        fix = f"cd {shlex.quote(str(here))}  # or rename {home / name}"
    return Check.missing("layout", name, f"comes from {home}, not {here}", fix)
