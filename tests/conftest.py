"""What all tests share: Hypothesis profiles, and the folder of real data where there is one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from orderflow.adapters.storage.memory import MemoryStorage
from orderflow.adapters.storage.sqlite import SqliteStorage

_SLOW_MACHINE = (HealthCheck.too_slow,)

settings.register_profile("quick", max_examples=25, deadline=None, suppress_health_check=_SLOW_MACHINE)
settings.register_profile(
    "ci", max_examples=100, deadline=None, derandomize=True, print_blob=True, suppress_health_check=_SLOW_MACHINE
)
# As ci, and the real file is worked through.
settings.register_profile("long", settings.get_profile("ci"))
settings.load_profile(os.environ.get("ORDERFLOW_PROFILE", "ci"))


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The folder that holds pyproject.toml."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data(project_root: Path) -> Path:
    """The folder of real and official inputs beside the project; tests that need it skip where it is absent."""
    folder = project_root.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the folder ../shared/data is not there: this test needs its files")
    return folder


@pytest.fixture(params=["memory", "sqlite"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MemoryStorage | SqliteStorage]:
    """An empty storage of each kind in turn, for what must hold on both."""
    if request.param == "memory":
        yield MemoryStorage()
    else:
        with closing(SqliteStorage(tmp_path / "shop.db")) as file:
            yield file
