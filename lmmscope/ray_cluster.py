"""A Ray cluster to work on: one that runs, or one that is started here for as long as it is needed.

Knows how to join one, quietly, and what it has; nothing of the work. Ray is an extra, so nothing
else of ours imports it but this and `ray_crew`, and neither before somebody asks for it.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from sae_core.errors import UserError

LOCAL, AUTO = "local", "auto"
QUIET: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
QUIETER = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # Else a node that dies is told on standard output, where --json goes.
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".*",
}
"""Read by Ray when it is first imported."""
ALONE = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""Whatever its name says: a cluster that is started here can't be reached from other machines."""
PATIENCE = 5.0
"""Seconds to wait for a head node to answer."""


class Posts(NamedTuple):
    """How many workers a cluster gets, and what each may use."""

    count: int
    cpus: int
    gpus: float


@asynccontextmanager
async def joined(address: str) -> AsyncGenerator[None]:
    """Be a part of a cluster: `auto`, `local`, or the head node's HOST:PORT."""
    check_installed()
    for name, value in (QUIETER | ALONE if address == LOCAL else QUIETER).items():
        os.environ.setdefault(name, value)
    import ray

    if ray.is_initialized():  # a program's own connection, which it ends itself
        yield
        return
    with TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as room:
        # In a thread, since Ray would take over what Ctrl-C and the like do in the main one.
        await asyncio.to_thread(_join, address, room)
        try:
            yield
        finally:
            await asyncio.to_thread(ray.shutdown)


def check_installed() -> None:
    """UserError where Ray is missing."""
    if find_spec("ray") is None:
        raise UserError("--ray needs the package ray. Try pip install 'lmmscope[ray]'")


def _join(address: str, room: str) -> None:
    import ray

    how: dict[str, Any] = {"address": _checked(address)}
    if address == LOCAL:
        how |= {"include_dashboard": False, "_node_ip_address": "127.0.0.1", "_temp_dir": room}
    try:
        ray.init(**how, **QUIET)
    except ConnectionError:
        raise UserError(
            f"--ray {address}: no cluster runs here. Start one with ray start --head, give the "
            "head node's HOST:6379, or try --ray local"
        ) from None
    except Exception as error:  # Ray raises Exception itself where a node does not come up
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise UserError(
            f"--ray {address}: {said[0]}. See to the cluster with ray status"
        ) from error


def _checked(address: str) -> str:
    """The address, if somebody answers there: Ray itself would end the process after a minute."""
    given = os.environ.get("RAY_ADDRESS") or AUTO if address == AUTO else address
    if given in (AUTO, LOCAL):
        return given
    host, _, port = given.rpartition(":")
    if "://" in given or not host or not port.isdigit():
        raise UserError(
            f"--ray {given}: give auto, local or the head node's HOST:PORT, such as 10.0.0.1:6379, "
            "and run lmmscope on a machine of the cluster"
        )
    try:
        socket.create_connection((host, int(port)), timeout=PATIENCE).close()
    except OSError as error:
        raise UserError(
            f"--ray {given}: no cluster answers there ({error}). Try ray status on its head node"
        ) from None
    return given


def posts(wanted: int | None) -> Posts:
    """One worker for each GPU of the cluster, else for each two CPUs; or as many as are wanted."""
    import ray

    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    return _posts(nodes, wanted)


def _posts(nodes: list[dict[str, float]], wanted: int | None) -> Posts:
    cpus = [int(node["CPU"]) for node in nodes if node.get("CPU", 0) >= 1]
    gpus = int(sum(node.get("GPU", 0) for node in nodes))
    if not cpus:
        raise UserError("The cluster has no CPUs to work on. Add a node with ray start --address")
    count = wanted or gpus or max(1, sum(cpus) // 2)
    if gpus:
        return Posts(count, 1, min(1.0, gpus / count))
    # No more than the smallest node has, so that every node takes part.
    return Posts(count, max(1, min(sum(cpus) // count, *cpus)), 0)
