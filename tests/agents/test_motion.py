"""Reading motion files, with the formats' traps; made-up gaits."""

import numpy as np
import pytest

from sakiyomi.agents.parts.motion.amc import read_amc
from sakiyomi.agents.parts.motion.files import read_motion
from sakiyomi.agents.parts.motion.gaits import humanoid_gait, synthetic_gait
from sakiyomi.agents.parts.motion.recording import Motion

BVH = """HIERARCHY
ROOT Hips
{
\tOFFSET 0.0 0.0 0.0
\tCHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
\tJOINT Left Leg
\t{
\t\tOFFSET 1.0e0 -2 3
\t\tCHANNELS 3 Zrotation Xrotation Yrotation
\t\tEnd Site
\t\t{
\t\t\tOFFSET 0 -1 0
\t\t}
\t}
}
ROOT Prop {
OFFSET 0 0 0
CHANNELS 1 Zrotation
}
MOTION
Frames:\t2
Frame Time: .0333333
1 2 3 4 5 6 7 8 9 10
-1\t-2.5e-01 3 4 5 6 7 8 9 +1.5E2

"""

AMC = """#!OML:ASF F:\\walk.asf
:FULLY-SPECIFIED
:DEGREES
1
root 1 2 3 10 20 30
rfemur -1.5 2e-3 -3.0E+1
rradius 4
2
root 1.5 2 3 10 20 30
rfemur 0 0 1
rradius\t5
"""

ASF = """# a skeleton
:version 1.10
:units
  mass 1.0
  angle deg
:root
   order TX TY TZ RX RY RZ
   axis XYZ
:bonedata
  begin
     id 1
     name rfemur
     dof rx ry rz
     limits (-160.0 20.0)
  end
  begin
     name rradius
     dof rx
  end
  begin
     name lhipjoint
  end
:hierarchy
"""


def written(folder, name, text):
    path = folder / name
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_bvh_with_several_roots_tabs_and_spaces_in_names(tmp_path, ends):
    motion = read_motion(written(tmp_path, "walk.BVH", BVH.replace("\n", ends)))
    assert motion.names[:2] == ("Hips.Xposition", "Hips.Yposition")
    assert motion.names[6:] == ("Left Leg.Zrotation", "Left Leg.Xrotation", "Left Leg.Yrotation", "Prop.Zrotation")
    assert motion.frames.dtype == np.float64
    assert motion.frames.tolist() == [[*range(1, 11)], [-1, -0.25, 3, 4, 5, 6, 7, 8, 9, 150]]
    assert motion.seconds == pytest.approx(1 / 30, rel=1e-4)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("HIERARCHY", "<html>", "line 1: a BVH file begins"),
        ("CHANNELS 3 Zrotation", "CHANNELS 4 Zrotation", "line 9: CHANNELS"),
        ("7 8 9 10\n", "7 8 9\n", "line 23: 10 channels are wanted, got 9"),
        ("7 8 9 10\n", "7 8 x 10\n", "line 23: a number is wanted, got 'x'"),
        ("7 8 9 10\n", "7 8 nan 10\n", "line 23: nan is not finite"),
        ("Frames:\t2", "Frames: 3", "3 frames are announced, 2 are there"),
        ("Frames:\t2", "Frames: two", "line 21: a number is wanted"),
        ("Frame Time: .0333333", "Time .03", "line 22: 'Frame Time:' is wanted"),
        ("Frame Time: .0333333", "Frame Time: 0", "line 22"),
        ("\t}\n}\nROOT", "\t}\nROOT", "line 19: the braces of Hips are still open"),
        ("MOTION", "", "not known in a hierarchy"),
    ],
)
def test_a_damaged_bvh_is_refused_with_its_line(tmp_path, old, new, message):
    assert old in BVH
    with pytest.raises(ValueError, match=message):
        read_motion(written(tmp_path, "walk.bvh", BVH.replace(old, new)))


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_amc_without_and_with_its_skeleton(tmp_path, ends):
    path = written(tmp_path, "07_01.amc", AMC.replace("\n", ends))
    plain = read_motion(path)
    assert plain.names == (
        *(f"root.{name}" for name in ("tx", "ty", "tz", "rx", "ry", "rz")),
        *("rfemur.1", "rfemur.2", "rfemur.3", "rradius.1"),
    )
    assert plain.frames.tolist() == [[1, 2, 3, 10, 20, 30, -1.5, 0.002, -30, 4], [1.5, 2, 3, 10, 20, 30, 0, 0, 1, 5]]
    written(tmp_path, "07.asf", ASF.replace("\n", ends))
    named = read_motion(path)
    assert named.names[6:] == ("rfemur.rx", "rfemur.ry", "rfemur.rz", "rradius.rx")
    assert np.array_equal(named.frames, plain.frames)


def test_radians_become_degrees_and_places_stay(tmp_path):
    motion = read_amc(written(tmp_path, "walk.amc", AMC.replace(":DEGREES", ":RADIANS")))
    assert motion.frames[0, :3].tolist() == [1, 2, 3]
    assert motion.frames[0, 3:6] == pytest.approx(np.degrees([10, 20, 30]))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("rradius 4\n", "", "line 7: frame 2 and the first do not both|at its end: frame 2 and the first"),
        ("rradius\t5\n", "", "at its end: frame 2 and the first do not both have bone 'rradius'"),
        ("rfemur 0 0 1", "rfemur 0 0", "line 10: rfemur has 2 numbers, in the first frame 3"),
        ("rfemur 0 0 1", "rfemur 0 zero 1", "line 10: a number is wanted, got 'zero'"),
        ("rfemur 0 0 1", "root 0 0 1", "line 10: bone 'root' comes twice"),
        ("1\nroot", "root", "line 4: bone 'root' comes before"),
        ("2\nroot", "2b\nroot", "line 8: a frame's number"),
    ],
)
def test_a_damaged_amc_is_refused_with_its_line(tmp_path, old, new, message):
    with pytest.raises(ValueError, match=message):
        read_motion(written(tmp_path, "walk.amc", AMC.replace(old, new, 1)))


def test_amc_that_does_not_fit_its_skeleton_or_is_empty(tmp_path):
    skeleton = written(tmp_path, "x.asf", ASF.replace("dof rx ry rz", "dof rx"))
    with pytest.raises(ValueError, match="line 6: rfemur has 3 numbers, its skeleton 1"):
        read_amc(written(tmp_path, "walk.amc", AMC), skeleton)
    with pytest.raises(ValueError, match="no frames"):
        read_amc(written(tmp_path, "empty.amc", ":DEGREES\n"))
    with pytest.raises(ValueError, match=":root"):
        read_amc(tmp_path / "walk.amc", written(tmp_path, "y.asf", ":bonedata\n"))


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_tables_with_missing_entries(tmp_path, mark):
    text = f"\ufeffhip angle{mark}knee\r\n# a comment\r\n1.5{mark}\r\n{mark}-2e1\r\nNaN{mark}3\r\n"
    motion = read_motion(written(tmp_path, "walk.csv", text))
    assert motion.names == ("hip angle", "knee")
    assert np.array_equal(motion.frames, [[1.5, np.nan], [np.nan, -20], [np.nan, 3]], equal_nan=True)


def test_a_row_of_a_table_may_be_missing_as_a_whole(tmp_path):
    motion = read_motion(written(tmp_path, "walk.csv", "1\t2\n\t\n3\t4\n"))
    assert motion.names == ("1", "2")
    assert np.isnan(motion.frames[1]).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("a,b\n", "no frames"),
        ("a,b\n1,2\n1,2,3\n", "line 3: 2 columns are wanted, got 3"),
        ("a,b\n1,2\n1,x\n", "line 3, column 2: a number is wanted, got 'x'"),
        ("a,b\n1,inf\n", "line 2, column 2: inf is not finite"),
    ],
)
def test_a_damaged_table_is_refused_with_its_line(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read_motion(written(tmp_path, "walk.csv", text))


def test_other_files_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"\.bvh, \.amc and \.csv"):
        read_motion(tmp_path / "walk.fbx")
    (tmp_path / "walk.bvh").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(ValueError, match="no text file"):
        read_motion(tmp_path / "walk.bvh")


def test_what_is_done_before_learning():
    frames = np.array([[0.0, 170.0], [1.0, -170.0], [3.0, np.nan], [6.0, -150.0]])
    motion = Motion(frames, ("x", "turn"), 0.1)
    assert np.array_equal(motion.unwrapped().frames[:, 1], [170, 190, np.nan, 210], equal_nan=True)
    assert motion.with_velocities(("x",)).frames[:, 0].tolist() == [1, 2, 3, 3]
    assert motion.without(("x",)).names == ("turn",)
    assert motion.every(3).frames[:, 0].tolist() == [0, 6]
    assert motion.every(3).seconds == pytest.approx(0.3)
    for wrong in (motion.with_velocities, motion.without):
        with pytest.raises(ValueError, match="no channel 'y'; there are: x, turn"):
            wrong(("y",))
    with pytest.raises(ValueError, match="1 names"):
        Motion(frames, ("x",))
    with pytest.raises(ValueError, match="two frames"):
        Motion(frames[:1], ("x", "turn")).with_velocities(("x",))


def test_the_made_up_gait_repeats_and_comes_from_its_seed():
    gait = synthetic_gait(3)
    assert gait.frames.shape == (120, 40)
    assert np.array_equal(gait.frames, synthetic_gait(3).frames)
    assert not np.array_equal(gait.frames, synthetic_gait(4).frames)
    assert np.abs(gait.frames[30:60] - gait.frames[:30]).mean() < 0.03 * gait.frames.std()


def test_the_humanoid_walks_in_cycles_that_differ():
    pytest.importorskip("mujoco")
    pytest.importorskip("dm_control")
    gait = humanoid_gait(0, frames=70)
    assert gait.frames.shape == (70, 33)
    assert len(set(gait.names)) == 33
    assert np.isfinite(gait.frames).all()
    assert np.array_equal(gait.frames, humanoid_gait(0, frames=70).frames)
    moving = gait.frames[:, gait.frames.std(0) > 3]
    assert moving.shape[1] > 15
    again = np.abs(moving[33:66] - moving[:33]).mean() / moving.std(0).mean()
    assert 0.01 < again < 0.5
    knees = [gait.names.index(f"{side}_knee") for side in ("left", "right")]
    assert np.corrcoef(gait.frames[:, knees].T)[0, 1] < 0.3  # the legs take turns
