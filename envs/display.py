"""Drawing without a screen: MuJoCo's way to OpenGL, and pygame's dummy."""

import os
import sys
from ctypes.util import find_library

NO_OPENGL = (
    "pictures of MuJoCo without a display need EGL or OSMesa: install libegl1 (and MUJOCO_GL=egl)"
    " or libosmesa6 (and MUJOCO_GL=osmesa)"
)
"""What to say where there is neither."""


def without_display() -> None:
    """Choose how MuJoCo and pygame draw, before they are imported, unless the environment's variables already do.

    Where there is no display MuJoCo gets EGL, which uses a graphics card if there is one, or else OSMesa.
    """
    if not sys.platform.startswith("linux") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    for way, library in (("egl", "EGL"), ("osmesa", "OSMesa")):
        if not os.environ.get("MUJOCO_GL") and find_library(library):
            os.environ["MUJOCO_GL"] = way
