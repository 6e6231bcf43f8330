"""For the whole test run: what is shared with the machine that it runs on."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

TESTS = Path(__file__).parent / "tests"
BROWSER_TESTS = TESTS / "browser"
TRAINING_TESTS = [  # folders and files whose numbers depend on how the processor rounds
    *(TESTS / name for name in ("closed_forms", "experiments", "literature", "measure", "nets", "probes", "studies", "training")),
    TESTS / "cli" / "test_recording.py",
    TESTS / "cli" / "test_same_numbers.py",
    TESTS / "panels" / "test_events_of_parts.py",
    TESTS / "runs" / "test_origin.py",
]

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as in a worker; more only get in each other's way on small tensors
os.environ["BNVIZ_DATA_DIR"] = ""  # no test reads or writes the finished runs of the person who runs the tests

settings.register_profile("no deadline", deadline=None)  # how long an example takes depends on who else uses the machine
settings.load_profile("no deadline")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the browser tests last, where both cores are theirs, and mark those that train.

    Playwright keeps an event loop running in the process that has used it, and `asyncio.run` is refused there:
    no other test may come after them.
    """
    items.sort(key=lambda item: BROWSER_TESTS in item.path.parents)
    for item in items:
        if any(place == item.path or place in item.path.parents for place in TRAINING_TESTS):
            item.add_marker("trains")


@pytest.fixture(autouse=True)
def trains_only_where_listed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A test that trains in this process has to be among `TRAINING_TESTS`, so that every instruction set tries it."""
    training = sys.modules.get("bnviz.training.loop")
    if training is None or request.node.get_closest_marker("trains"):
        yield
        return
    begun = []
    initialize = training.Trainer.__init__

    def note_and_initialize(self, *args, **kwargs):
        begun.append(args)
        initialize(self, *args, **kwargs)

    monkeypatch.setattr(training.Trainer, "__init__", note_and_initialize)
    yield
    assert not begun, "this test trains: add it to TRAINING_TESTS in conftest.py"
