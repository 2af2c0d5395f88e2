"""Looks at model servers: does GET /v1/models answer, and with which models.

It speaks just enough HTTP for that, with the standard library; it sends no prompt.
"""

import http.client
import json
import shlex
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from lmmscope.doctor_checks import Check
from lmmscope.invocation import installed
from lmmscope.settings import Settings
from lmmscope.wiring import model_folder

TIMEOUT = 2.0
SHOWN = 3
"""Names of served models in the table, at most."""


def examine(settings: Settings) -> list[Check]:
    """Each server that the profile names."""
    given = settings.servers.given()
    if not given:
        return [Check.ok("servers", "none", "the profile needs none")]
    names = settings.models.model_dump()
    return [server_check(role, url, names.get(role)) for role, url in given.items()]


def server_check(role: str, url: str, model: str | None = None) -> Check:
    """One server: the models that it offers, or why they can't be told.

    A model that the profile names for the role is the one to start it with.
    """
    fix = _remedy(url, model)
    address = f"{url}/v1/models"
    try:
        names = served_models(address)
    except urllib.error.HTTPError as error:
        found = f"{address} answers {error.code} {error.reason}"
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        found = f"{address} does not answer: {reason}"
    except (ValueError, KeyError, TypeError):
        found = f"{address} answers, but with no list of models"
    else:
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        shown = ", ".join(names[:SHOWN]) or "no model loaded yet"
        return Check.ok("servers", role, f"{url}: {shown}{more}")
    return Check.missing("servers", role, found, fix)


def served_models(address: str) -> list[str]:
    """The ids that the server lists."""
    with urllib.request.urlopen(address, timeout=TIMEOUT) as reply:
        return [str(model["id"]) for model in json.load(reply)["data"]]


def _remedy(url: str, model: str | None) -> str:
    """A server here can be started; one elsewhere can only be asked what is wrong."""
    parts = urlsplit(url)
    if parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        return f"curl --max-time 5 {shlex.quote(f'{url}/v1/models')}"
    folder = shlex.quote(str(model_folder(model))) if model else "MODEL_FOLDER"
    return f"{installed('transformers')} serve {folder} --port {parts.port or 80}"
