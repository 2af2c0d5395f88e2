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
from lmmscope.engines import environment_of, first_role, installing, is_here, served_model
from lmmscope.invocation import installed, lmmscope
from lmmscope.published import Serving
from lmmscope.settings import Settings
from lmmscope.wiring import model_folder

SERVED = ("explainer", "judge")
"""The roles that `lmmscope serve` starts a server for."""
TIMEOUT = 2.0
SHOWN = 3
"""Names of served models in the table, at most."""


def examine(settings: Settings) -> list[Check]:
    """Each server that the profile names."""
    given = settings.servers.given()
    if not given:
        return [Check.ok("servers", "none", "the profile needs none")]
    checks: list[Check] = []
    for role in given:
        for url in getattr(settings.servers, role).addresses:
            found = _checks(settings, first_role(settings, role), role, url)
            checks += [check for check in found if check not in checks]
    return checks


def _checks(settings: Settings, first: str, role: str, url: str) -> list[Check]:
    """The server, and what would run it, as long as it does not run."""
    serving = settings.engines.get(first)
    check = server_check(role, url, served_model(settings, first), first, serving)
    if serving is None or check.state == "ok" or role != first or not is_here(url):
        return [check]
    environment = environment_of(serving.engine)
    if (environment / "bin" / serving.engine).is_file():
        return [check]
    found = f"{serving.engine} is not in {environment}"
    fix = installing(serving.engine, environment)
    return [Check.missing("servers", f"{role}'s engine", found, fix), check]


def server_check(
    role: str,
    url: str,
    model: str | None = None,
    first: str | None = None,
    serving: Serving | None = None,
) -> Check:
    """One server: the models that it offers, or why they can't be told.

    A model that the profile names for the role is the one to start it with.
    """
    address = f"{url}/v1/models"
    asking = f"curl --max-time 5 {shlex.quote(address)}"
    try:
        names = served_models(address)
    except urllib.error.HTTPError as error:
        found = f"{address} answers {error.code} {error.reason}"
        return Check.missing("servers", role, found, asking)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        fix = _starting(first or role, url, model, serving) or asking
        return Check.missing("servers", role, f"{address} does not answer: {reason}", fix)
    except (ValueError, KeyError, TypeError):
        found = f"{address} answers, but with no list of models"
        return Check.missing("servers", role, found, asking)
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    shown = ", ".join(names[:SHOWN]) or "no model loaded yet"
    return Check.ok("servers", role, f"{url}: {shown}{more}")


def served_models(address: str) -> list[str]:
    """The ids that the server lists."""
    with urllib.request.urlopen(address, timeout=TIMEOUT) as reply:
        return [str(model["id"]) for model in json.load(reply)["data"]]


def _starting(role: str, url: str, model: str | None, serving: Serving | None) -> str | None:
    """The command that starts the server, if it would run here; one elsewhere can't be started."""
    if not is_here(url):
        return None
    parts = urlsplit(url)
    port = parts.port or 80
    if role not in SERVED:
        folder = shlex.quote(str(model_folder(model))) if model else "MODEL_FOLDER"
        return f"{installed('transformers')} serve {folder} --port {port}"
    host = " --host ::1" if parts.hostname == "::1" else ""
    named = shlex.quote(model) if model else "MODEL_FOLDER"
    engine = f" --engine {serving.engine}" if serving else ""
    own = f" -- {shlex.join(serving.options)}" if serving and serving.options else ""
    return f"{lmmscope()} serve {role}{engine} --model {named}{host} --port {port}{own}"
