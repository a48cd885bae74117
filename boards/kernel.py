"""The one decorator for compiled code: Numba in no-GIL mode with a disk cache that cannot be stale.

Numba's own cache is keyed by the source of the file that holds the function. A kernel that calls a kernel of another
file would go on serving the old machine code after that other file was edited. Here the cache folder is named by a
digest of every source that the kernel may reach: its own file and, through their ``from sakiyomi...`` lines, all
files it imports from.
"""

import os
import re
import tempfile
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numba

ROOT = Path(__file__).resolve().parent.parent  # the folder that holds boards/, agents/, ...
_IMPORT = re.compile(rb"^\s*from\s+sakiyomi\.([\w.]+)\s+import\s+(\([^)]*\)|[^\n]*)", re.MULTILINE)

KERNELS: list[Any] = []
"""Every kernel decorated so far, for the tests that keep one signature per kernel and no float in integer kernels."""


def _cache_home() -> Path:
    """Where compiled code goes: SAKIYOMI_CACHE, the user's cache folder, or a temporary one if that is read-only."""
    if chosen := os.environ.get("SAKIYOMI_CACHE"):
        return Path(chosen)
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sakiyomi"
    try:
        base.mkdir(parents=True, exist_ok=True)
        if os.access(base, os.W_OK):
            return base
    except OSError:
        pass  # no writable home (a container, a service account): the temporary folder serves one boot
    return Path(tempfile.gettempdir()) / f"sakiyomi-cache-{os.getuid() if hasattr(os, 'getuid') else 'user'}"


@cache
def _imports(path: Path) -> frozenset[Path]:
    """Files of ours that `path` imports from, directly."""
    found: set[Path] = set()
    for module, names in _IMPORT.findall(path.read_bytes()):
        place = ROOT.joinpath(*module.decode().split("."))
        candidates = [place.with_suffix(".py"), place / "__init__.py"]
        candidates += [place / f"{name}.py" for name in re.findall(r"\w+", names.decode())]
        found.update(file for file in candidates if file.is_file())
    return frozenset(found)


@cache
def digest(path: Path) -> str:
    """Hash of everything that can change the machine code of the kernels in the file `path`."""
    reached, todo = {path}, [path]
    while todo:
        new = _imports(todo.pop()) - reached
        reached |= new
        todo.extend(new)
    text = sha256(f"{numba.__version__} {numba.config.BOUNDSCHECK}".encode())
    for file in sorted(reached):
        text.update(file.name.encode() + file.read_bytes())
    return text.hexdigest()[:12]


def kernel(function: Callable[..., Any]) -> Any:
    """Compile `function` on first use, without the GIL, cached on disk until any source it may call changes.

    Kernels trust their caller, raise nothing and return codes. Integers in, integers out.
    """
    return _compile(function, "never")


def inlined(function: Callable[..., Any]) -> Any:
    """A kernel that is copied into its callers: for the short front of a long function in a hot loop.

    The compiler's own inliner works from the inside out, so it would first swallow the long part and then find the
    whole too long; a call with arrays costs some 20 ns of reference counts.
    """
    return _compile(function, "always")


def _compile(function: Callable[..., Any], inline: str) -> Any:
    path = Path(function.__code__.co_filename).resolve()
    folder = _cache_home() / f"{path.parent.name}-{path.stem}-{digest(path)}"
    saved, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(folder)
    try:
        compiled = numba.njit(cache=True, nogil=True, error_model="numpy", inline=inline)(function)
    finally:
        numba.config.CACHE_DIR = saved
    KERNELS.append(compiled)
    return compiled
