"""What tests share: where real game records may lie beside the checkout, and which tests come last."""

from pathlib import Path

import pytest

RECORDS = Path(__file__).resolve().parents[2] / "shared" / "records"


@pytest.fixture(scope="session")
def records() -> Path:
    """A folder of real game records; tests that need it are skipped where there is none."""
    if not RECORDS.is_dir():
        pytest.skip(f"no game records at {RECORDS}")
    return RECORDS


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Look at the kernels' signatures when every other test has used them."""
    items.sort(key=lambda item: item.path.name == "test_kernels.py")
