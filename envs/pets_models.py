"""The MuJoCo models of the tasks ``pets/...``, with the constants of Chua et al. (NeurIPS 2018), as published.

The cart-pole is written here. The other three are models of Gymnasium, with the paper's constants where those differ.
"""

from pathlib import Path
from typing import Any

import gymnasium

from sakiyomi.envs.display import without_display
from sakiyomi.envs.pets_rewards import LINKS, SHOULDER

without_display()  # MuJoCo asks how to draw when it is imported

import mujoco  # noqa: E402

FOLDER = Path(gymnasium.__file__).parent / "envs" / "mujoco" / "assets"
JOINTS = (
    "r_shoulder_pan_joint",
    "r_shoulder_lift_joint",
    "r_upper_arm_roll_joint",
    "r_elbow_flex_joint",
    "r_forearm_roll_joint",
    "r_wrist_flex_joint",
    "r_wrist_roll_joint",
)
"""Of the arm of reacher and pusher, from its shoulder to its hand."""

OBJECT = 0.04
"""Kilograms that the pusher pushes."""

CARTPOLE = """
<mujoco model="cart-pole">
  <option integrator="RK4" timestep="0.02"/>
  <visual><global offwidth="640" offheight="640"/></visual>
  <asset>
    <texture name="sky" type="skybox" builtin="gradient" width="64" height="64" rgb1="0.95 0.97 1" rgb2="0.7 0.8 0.9"/>
  </asset>
  <default>
    <joint damping="1"/>
    <geom type="capsule" contype="0" conaffinity="0"/>
    <motor ctrllimited="true" ctrlrange="-3 3"/>
  </default>
  <worldbody>
    <light pos="0 -3 4" dir="0 0.6 -0.8"/>
    <geom name="rail" fromto="-3 0 0 3 0 0" size="0.02" rgba="0.3 0.33 0.4 1"/>
    <geom name="upright" type="sphere" pos="0 0 0.6" size="0.03" rgba="0.2 0.65 0.3 0.6"/>
    <body name="cart">
      <joint name="slider" type="slide" axis="1 0 0" limited="true" range="-2.5 2.5"/>
      <geom name="cart" fromto="-0.1 0 0 0.1 0 0" size="0.1" rgba="0.2 0.35 0.6 1"/>
      <body name="pole">
        <joint name="hinge" type="hinge" axis="0 1 0"/>
        <geom name="pole" fromto="0 0 0 0.001 0 -0.6" size="0.049" rgba="0.85 0.45 0.2 1"/>
      </body>
    </body>
  </worldbody>
  <actuator><motor name="push" joint="slider" gear="100"/></actuator>
</mujoco>
"""
"""A pole of 0.6 m (which leans by a millimetre) hangs from a cart on a rail of 2.5 m either way."""


def cartpole() -> Any:
    """Pushed with 100 N times the control, which is within 3."""
    return mujoco.MjModel.from_xml_string(CARTPOLE)


def half_cheetah() -> Any:
    """Gymnasium's half cheetah, the paper's but for the size of the floor."""
    spec = mujoco.MjSpec.from_file(str(FOLDER / "half_cheetah.xml"))
    kilograms, spec.compiler.settotalmass = spec.compiler.settotalmass, -1  # MuJoCo wants to be told so afterwards
    model = spec.compile()
    mujoco.mj_setTotalmass(model, kilograms)
    mujoco.mj_setConst(model, mujoco.MjData(model))
    return model


def pusher() -> Any:
    """The arm, an object and a goal.

    The paper's object weighs nothing, and its joints resist like 0.04 kg ("armature"). MuJoCo 3, other than the paper's
    version, takes how hard a thing pushes back from masses alone: arms go through this one, as through that of
    Gymnasium's Pusher-v5. So here the 0.04 kg are the object's mass, and it moves as it did.
    """
    spec = mujoco.MjSpec.from_file(str(FOLDER / "pusher_v5.xml"))
    spec.joint(JOINTS[0]).range = (-2.2854, 2.0)
    for joint in spec.body("object").joints:
        joint.armature = 0.0
    (cylinder,) = spec.body("object").geoms
    cylinder.mass = OBJECT
    return _finished(spec)


def reacher() -> Any:
    """The arm alone, heavier and stronger, in free air; the goal "target" is a body that is put where it is to be."""
    spec = mujoco.MjSpec.from_file(str(FOLDER / "pusher_v5.xml"))
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_RK4
    for name in ("object", "goal", "tips_arm"):
        spec.delete(spec.body(name))
    spec.delete(spec.geom("table"))
    wrist = spec.body("r_wrist_roll_link")
    for geom in list(wrist.geoms):
        spec.delete(geom)
    _add_gripper(wrist)
    spec.geom("fa").fromto = (0, 0, 0, LINKS[2], 0, 0)
    for geom in spec.geoms:
        geom.density, geom.contype, geom.conaffinity = 1000, 0, 0
    spec.body("r_shoulder_pan_link").pos = SHOULDER
    _set_joints(spec)
    target = spec.worldbody.add_body(name="target", mocap=True)
    sphere = mujoco.mjtGeom.mjGEOM_SPHERE
    target.add_geom(type=sphere, size=(0.035, 0, 0), rgba=(0.2, 0.65, 0.3, 1), contype=0, conaffinity=0)
    return _finished(spec)


def _set_joints(spec: Any) -> None:
    """Ranges in radians (None: without end), damping in N m s, and controls within 20 N m."""
    ranges = ((-2.2854, 1.714602), (-0.5236, 1.3963), (-3.9, 0.8), (-2.3213, 0.0), None, (-2.094, 0.0), None)
    for name, range, damping in zip(JOINTS, ranges, (10.0, 10.0, 0.1, 1.0, 0.1, 0.1, 0.1), strict=True):
        joint = spec.joint(name)
        joint.damping = (damping, 0.0, 0.0)  # MuJoCo takes coefficients of a polynomial
        joint.limited = mujoco.mjtLimited.mjLIMITED_TRUE if range else mujoco.mjtLimited.mjLIMITED_FALSE
        joint.range = range or (0.0, 0.0)
    for actuator in spec.actuators:
        actuator.ctrlrange = (-20.0, 20.0)


def _add_gripper(wrist: Any) -> None:
    """The reacher's hand: a palm with two fingers of two parts, and the place "hand" that is to reach the goal."""
    parts = [(0.01, (-0.02, 0.0, 0.0), (0.02, 0.0, 0.0)), (0.05, (0.05, 0.0, -0.02), (0.05, 0.0, 0.02))]
    for side in (1, -1):
        root, middle, tip = ((x, side * y, 0.0) for x, y in ((0.07691, 0.03), (0.16828, 0.03495), (0.25965, 0.03495)))
        parts += [(0.01, root, middle), (0.01, middle, tip)]
    for radius, start, end in parts:
        wrist.add_geom(type=mujoco.mjtGeom.mjGEOM_CAPSULE, fromto=(*start, *end), size=(radius, 0, 0))
    wrist.add_site(name="hand", pos=(LINKS[3], 0, 0))


def _finished(spec: Any) -> Any:
    """Compiled, with light from above and a bright background."""
    spec.add_texture(
        name="sky",
        type=mujoco.mjtTexture.mjTEXTURE_SKYBOX,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
        rgb1=(0.95, 0.97, 1.0),
        rgb2=(0.7, 0.8, 0.9),
        width=64,
        height=64,
    )
    return spec.compile()
