"""For the whole test run: what is shared with the machine that it runs on."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

BROWSER_TESTS = Path(__file__).parent / "tests" / "browser"

os.environ["BNVIZ_DATA_DIR"] = ""  # no test reads or writes the finished runs of the person who runs the tests

settings.register_profile("no deadline", deadline=None)  # how long an example takes depends on who else uses the machine
settings.load_profile("no deadline")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the browser tests, and keep them in one process: two Chromiums at once starve each other on two cores."""
    for item in items:
        if BROWSER_TESTS in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))
