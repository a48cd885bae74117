"""Motion that needs no file: a made-up gait, and that of a humanoid in MuJoCo which is led by springs.

The body is dm_control's humanoid (21 hinges), held by the torso as in a harness over the floor; springs and dampers in
its joints follow a walking reference whose pace and size vary from stride to stride. What is recorded are its joints'
angles and where hands and feet are, as the torso sees them: what the physics of limbs, limits and ground make of it.
"""

from typing import Any

import numpy as np

from sakiyomi.agents.parts.motion.recording import Floats, Motion

STEP = 0.0025  # seconds of physics
FRAME = 1 / 30
PERIOD = 1.1  # seconds of a cycle of two steps
STIFFNESS, DAMPING = 60.0, 3.0  # N m per rad, and per rad/s

# Of each joint of a side: middle, then cosine and sine of the first and second harmonic, in degrees; the left leg goes
# half a cycle later. After the shape of textbook walking curves, not measured ones.
_LEG = {
    "hip_y": (-15.0, -22.0, 6.0, 3.0, -2.0),
    "hip_x": (0.0, 2.0, 3.0, 1.0, 0.0),
    "hip_z": (0.0, 4.0, 2.0, 0.0, 1.0),
    "knee": (-32.0, 6.0, 22.0, 12.0, -4.0),
    "ankle_y": (4.0, -4.0, 8.0, 6.0, 4.0),
    "ankle_x": (0.0, 2.0, 3.0, 1.5, 0.0),
}
_ARM = {
    "shoulder1": (-5.0, 18.0, 4.0, 1.0, 0.0),
    "shoulder2": (0.0, 9.0, 3.0, 1.0, 0.5),
    "elbow": (-30.0, 12.0, 5, 2, 1),
}
_TRUNK = {
    "abdomen_z": (0.0, 6.0, 2.0, 0.0, 0.0),
    "abdomen_y": (-4.0, 0.0, 0.0, 3.0, 1.0),
    "abdomen_x": (0.0, 3.0, 1.0, 1.0, 0.0),
}
_ENDS = ("left_hand", "left_foot", "right_hand", "right_foot")


def synthetic_gait(
    seed: int, *, frames: int = 120, channels: int = 40, period: float = 30.0, harmonics: int = 4, noise: float = 0.01
) -> Motion:
    """[frames, channels]: sums of `harmonics` of a cycle of `period` frames with random loadings, of amplitude ~ 1 / k.

    `noise` is the standard deviation of what is added, as a part of the channels' own.
    """
    rng = np.random.default_rng(seed)
    phase = 2 * np.pi * np.arange(frames)[:, None] * np.arange(1, harmonics + 1) / period
    waves = np.concatenate([np.cos(phase), np.sin(phase)], axis=1)
    sizes = np.tile(1 / np.arange(1, harmonics + 1), 2)
    motion = waves @ (sizes[:, None] * rng.standard_normal((2 * harmonics, channels)))
    motion += noise * motion.std(0) * rng.standard_normal(motion.shape)
    return Motion(motion, tuple(f"channel {k + 1}" for k in range(channels)), PERIOD / period)


def humanoid_gait(seed: int, *, frames: int = 260, variation: float = 0.03, settling: float = 2.2) -> Motion:
    """[frames, 33] at 30 frames a second: 21 angles in degrees, and hands and feet in centimetres.

    `variation` is the standard deviation of pace and size about 1, which wander over a second or so. The first
    `settling` seconds are not recorded. Raises ModuleNotFoundError with what to install if dm_control is missing.
    """
    mujoco, model = _humanoid()
    data, rng = mujoco.MjData(model), np.random.default_rng(seed)
    hinges = [k for k in range(model.njnt) if model.jnt_type[k] == mujoco.mjtJoint.mjJNT_HINGE]
    names = [model.joint(k).name for k in hinges]
    at, speed = model.jnt_qposadr[hinges], model.jnt_dofadr[hinges]
    curves = np.radians([_curve(name) for name in names])
    held = np.array([0, 0, 1.3, 1, 0, 0, 0])
    data.qpos[at], phase, wander, rows = curves[:, 0], 0.0, np.zeros(2), list[Floats]()
    until = settling
    while len(rows) < frames:
        wander += -wander * STEP + variation * np.sqrt(2 * STEP) * rng.standard_normal(2)
        phase += 2 * np.pi * STEP / PERIOD * (1 + wander[0])
        target = curves[:, 0] + (1 + wander[1]) * (curves[:, 1:] @ _harmonics(phase))
        data.qpos[:7], data.qvel[:6] = held, 0
        data.qpos[2] = held[2] + 0.02 * np.cos(2 * phase)  # the bobbing of the trunk
        data.qfrc_applied[speed] = STIFFNESS * (target - data.qpos[at]) - DAMPING * data.qvel[speed]
        mujoco.mj_step(model, data)
        if data.time >= until:
            until += FRAME
            rows.append(np.concatenate([np.degrees(data.qpos[at]), _ends(data)]))
    return Motion(np.array(rows), (*names, *(f"{end}.{axis}" for end in _ENDS for axis in "xyz")), FRAME)


def _humanoid() -> tuple[Any, Any]:
    try:
        import mujoco
        from dm_control.suite import humanoid
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError('the humanoid needs dm_control: pip install "sakiyomi[control]"') from error
    text, assets = humanoid.get_model_and_assets()
    model = mujoco.MjModel.from_xml_string(text.decode() if isinstance(text, bytes) else text, assets)
    model.opt.timestep = STEP
    return mujoco, model


def _curve(joint: str) -> tuple[float, ...]:
    """The reference of a joint by its name; what the left side does half a cycle later has odd harmonics turned."""
    if joint in _TRUNK:
        return _TRUNK[joint]
    side, name = joint.split("_", 1)
    middle, cosine, sine, cosine2, sine2 = (_LEG | _ARM)[name]
    turned = (side == "left") != (name in _ARM)  # an arm swings with the leg of the other side
    return (middle, -cosine, -sine, cosine2, sine2) if turned else (middle, cosine, sine, cosine2, sine2)


def _harmonics(phase: float) -> Floats:
    return np.array([np.cos(phase), np.sin(phase), np.cos(2 * phase), np.sin(2 * phase)])


def _ends(data: Any) -> Floats:
    """[12] hands and feet in centimetres, as the torso sees them."""
    torso = data.body("torso")
    turn = torso.xmat.reshape(3, 3)
    return np.concatenate([100 * (data.body(end).xpos - torso.xpos) @ turn for end in _ENDS])
