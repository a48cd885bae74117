"""Pictures: averaging against the definition, colour depth, and the wrapper around an environment."""

from fractions import Fraction

import numpy as np
import pytest

pytest.importorskip("gymnasium", reason='Gymnasium is not installed: pip install "sakiyomi[envs]"')

import gymnasium
from gymnasium.spaces import Box

from sakiyomi.envs.pixels import AreaResize, Pixels, area_average, quantised


def cover(source: int, size: int) -> np.ndarray:
    """Weights [size, source]: how much of source pixel j lies in pixel i of the result, as exact fractions."""
    ratio = Fraction(source, size)
    return np.array(
        [
            [max(Fraction(0), min((i + 1) * ratio, j + 1) - max(i * ratio, j)) / ratio for j in range(source)]
            for i in range(size)
        ]
    )


def averaged(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """By the definition, in fractions; Python rounds a half to the even number."""
    down, across = cover(image.shape[0], size[0]), cover(image.shape[1], size[1])
    exact = down @ image.astype(object) @ across.T
    return np.array([[round(value) for value in row] for row in exact], dtype=np.uint8)


@pytest.mark.parametrize(("source", "size"), [((7, 5), (3, 2)), ((6, 8), (3, 4)), ((4, 4), (4, 4)), ((9, 10), (1, 7))])
def test_every_pixel_is_the_mean_of_what_it_covers(source, size):
    rng = np.random.default_rng(0)
    resize = AreaResize(source, size)
    for _ in range(20):
        image = rng.integers(0, 256, source).astype(np.uint8)
        assert (resize(image) == averaged(image, size)).all()


def test_halves_go_to_the_even_number():
    resize = AreaResize((1, 2), (1, 1))
    assert [int(resize(np.array([[a, a + 1]], np.uint8))[0, 0]) for a in (0, 1, 2, 253, 254)] == [0, 2, 2, 254, 254]


def test_colours_do_not_mix():
    rng = np.random.default_rng(1)
    image = rng.integers(0, 256, (21, 16, 3)).astype(np.uint8)
    small = AreaResize(image.shape, (9, 9))(image)
    channel = AreaResize(image.shape[:2], (9, 9))
    assert all((small[..., c] == channel(image[..., c])).all() for c in range(3))


def test_white_stays_white_in_a_picture_of_full_size():
    assert (AreaResize((1440, 2560), (97, 89))(np.full((1440, 2560), 255, np.uint8)) == 255).all()


def test_agrees_with_opencv():
    cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed")
    rng = np.random.default_rng(2)
    for source, size in (((210, 160), (84, 84)), ((210, 160, 3), (96, 96)), ((84, 96, 3), (64, 64))):
        image = rng.integers(0, 256, source).astype(np.uint8)
        theirs = cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA)
        apart = np.abs(AreaResize(source, size)(image).astype(int) - theirs)
        assert apart.max() <= 1
        assert np.count_nonzero(apart) <= apart.size // 1000  # OpenCV's floats miss some halves


def test_results_are_new_and_sources_may_be_views():
    rng = np.random.default_rng(3)
    image = rng.integers(0, 256, (12, 10)).astype(np.uint8)
    resize = AreaResize((6, 10), (3, 5))
    first = resize(image[::2])
    kept = first.copy()
    resize(image[1::2])
    assert (first == kept).all()
    assert (first == resize(np.ascontiguousarray(image[::2]))).all()


def test_a_picture_that_must_not_be_written_compiles_nothing_anew():
    image = np.random.default_rng(4).integers(0, 256, (6, 10)).astype(np.uint8)
    resize = AreaResize((6, 10), (3, 5))
    wanted = resize(image)
    image.flags.writeable = False
    assert (resize(image) == wanted).all()
    assert len(area_average.signatures) == 1


@pytest.mark.parametrize("size", [(7, 4), (5, 5), (0, 3)])
def test_it_does_not_enlarge(size):
    with pytest.raises(ValueError, match="averages to a smaller size"):
        AreaResize((6, 4), size)


def test_a_picture_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"shape \(5, 4\), wanted \(6, 4\)"):
        AreaResize((6, 4), (3, 3))(np.zeros((5, 4), np.uint8))


def test_a_picture_too_large_for_exact_sums_is_refused():
    with pytest.raises(ValueError, match="too large"):
        AreaResize((4096, 4096), (64, 64))


def test_quantised_is_planets_formula():
    x = np.arange(256, dtype=np.uint8)
    assert (quantised(x) / 256 == np.floor(x / 8) / 32).all()
    assert (quantised(x, 8) == x).all()
    assert np.unique(quantised(x, 1)).tolist() == [0, 128]


class Stripes(gymnasium.Env):
    """Pictures whose rows have their own number as their colour."""

    observation_space = Box(0, 255, (12, 8, 3), np.uint8)
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.broadcast_to(np.arange(12, dtype=np.uint8)[:, None, None], (12, 8, 3)), {}


def test_the_wrapper_crops_then_averages_then_cuts_the_depth():
    env = Pixels(Stripes(), (4, 4), rows=8)
    assert env.observation_space == Box(0, 255, (4, 4, 3), np.uint8)
    observation, _ = env.reset()
    assert observation.tolist() == [[[row] * 3] * 4 for row in (0, 2, 4, 6)]  # 0.5, 2.5, ... to the even number
    coarse, _ = Pixels(Stripes(), (4, 4), rows=8, bits=6).reset()
    assert np.unique(coarse).tolist() == [0, 4]


def test_the_wrapper_wants_pictures():
    with pytest.raises(ValueError, match="pictures of uint8 are wanted"):
        Pixels(gymnasium.make("CartPole-v1"), (4, 4))
