"""The pages, a module each: what it answers to, and where it stands in the navigation.

A new page is a module with a `router`, named here; its templates extend `base.html`, its queries
are a module of `review.queries`.
"""

from review import pictures
from review.pages import (
    attribution,
    compare,
    control,
    evidence,
    exporting,
    features,
    findings,
    run,
    runs,
    said,
    steering,
    tail,
    verdicts,
    watching,
)
from review.site import Place

ROUTERS = (
    runs.router,
    run.router,
    said.router,
    tail.router,
    evidence.router,
    findings.router,
    compare.router,
    verdicts.router,
    features.router,
    exporting.router,
    control.router,
    steering.router,
    watching.router,
    attribution.router,
    pictures.router,
)
PLACES = (
    Place("Runs", "/runs", "r"),
    Place("Findings", "/findings", "f"),
    Place("Verdicts", "/verdicts", "v"),
    Place("Steer", "/steer", "s"),
    Place("Why", "/attribution", "w"),
)
"""The navigation."""
