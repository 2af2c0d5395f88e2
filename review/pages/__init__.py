"""The pages, a module each: what it answers to, and where it stands in the navigation.

A new page is a module with a `router`, named here; its templates extend `base.html`, its queries
are a module of `review.queries`.
"""

from review import pictures
from review.pages import evidence, exporting, run, runs, said, tail
from review.site import Place

ROUTERS = (
    runs.router,
    run.router,
    said.router,
    tail.router,
    evidence.router,
    exporting.router,
    pictures.router,
)
PLACES = (Place("Runs", "/runs", "r"),)
"""The navigation."""
