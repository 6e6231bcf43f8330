"""For the whole test run: what is shared with the machine that it runs on."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

BROWSER_TESTS = Path(__file__).parent / "tests" / "browser"

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as in a worker; more only get in each other's way on small tensors
os.environ["BNVIZ_DATA_DIR"] = ""  # no test reads or writes the finished runs of the person who runs the tests

settings.register_profile("no deadline", deadline=None)  # how long an example takes depends on who else uses the machine
settings.load_profile("no deadline")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the browser tests last, where both cores are theirs.

    Playwright keeps an event loop running in the process that has used it, and `asyncio.run` is refused there:
    no other test may come after them.
    """
    items.sort(key=lambda item: BROWSER_TESTS in item.path.parents)
