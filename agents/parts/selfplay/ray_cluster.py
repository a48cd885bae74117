"""Entering a Ray cluster, and knowing that its nodes run the same code as this process."""

import os
import re
import signal
import socket
import threading
from collections.abc import Iterable
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any

PATIENCE = 10.0  # seconds for a cluster to answer


def check_address(address: str) -> None:
    """Raises ValueError for what can be no address of a cluster."""
    if address not in ("auto", "local") and not re.fullmatch(r"[^\s:]+:\d+|\[[^\s\]]+\]:\d+", address):
        raise ValueError(f"{address!r} is no address of a Ray cluster; wanted: auto, local or HOST:PORT")


def enter_cluster(address: str) -> tuple[Any, bool]:
    """The module `ray`, connected, and whether this call did so: a process that uses Ray already stays where it is.

    `address` is "auto" (the cluster that runs on this machine), "HOST:PORT", or "local" (one is started here, until
    ``ray.shutdown()``). Raises ModuleNotFoundError without Ray, ConnectionError if there is no such cluster.
    """
    check_address(address)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError:
        raise ModuleNotFoundError('Ray is not installed: pip install "sakiyomi[ray]"', name="ray") from None
    if ray.is_initialized():
        return ray, False
    on_end = signal.getsignal(signal.SIGTERM)
    _connect(ray, address)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, on_end)  # Ray puts its own in place, which ends the process at once
    return ray, True


def digest_of(packages: Iterable[str]) -> str:
    """A digest of the files of these packages of sakiyomi: the same where the same will be done."""
    digest = sha256()
    for name in packages:
        (folder,) = import_module(f"sakiyomi.{name}").__path__
        for path in sorted(Path(folder).rglob("*.py")):
            digest.update(f"{name}/{path.relative_to(folder).as_posix()}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _connect(ray: Any, address: str) -> None:
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address == "local":
        ray.init(address="local", include_dashboard=False, _node_ip_address="127.0.0.1", **quiet)
        return
    hint = "start one with 'ray start --head', or take 'local'"
    try:
        _knock(address)  # Ray itself would try for minutes
        if address != "auto":
            hint = "somebody listens there; a cluster that asks for tokens needs RAY_AUTH_MODE=token here, too"
        ray.init(address=address, **quiet)
    except (OSError, RuntimeError, ValueError) as error:
        why = " ".join(str(error).split())[:200]
        raise ConnectionError(f"no Ray cluster is found at {address} ({why}); {hint}") from None


def _knock(address: str) -> None:
    """Raises OSError if nobody listens at HOST:PORT."""
    if address != "auto":
        host, _, port = address.rpartition(":")
        socket.create_connection((host.strip("[]"), int(port)), timeout=PATIENCE).close()
