"""The names that `import bnviz` offers."""

import subprocess
import sys

import pytest

CHECK = """
import sys, bnviz
assert "torch" not in sys.modules, "importing bnviz must not load torch"
config = bnviz.RunConfig(steps=0, trials=1)
for _ in range(2):  # importing a submodule must not take the function's name
    first, *_, last = bnviz.run(config)
    assert type(first).__name__ == "RunStarted" and type(last).__name__ == "RunFinished"
from bnviz import Trace, record, run
assert isinstance(record(config), Trace) and len(record(config).curves) == 2
assert callable(run)
"""
CONCLUDE = """
import sys, bnviz
from bnviz import StudyConfig, conclude
assert "torch" not in sys.modules, "importing a name must not load torch"
for _ in range(2):
    verdict, results = bnviz.conclude("depth", "growth", seeds=2)
assert verdict.sentence
assert StudyConfig(experiment="depth", part="growth").run_id == bnviz.StudyConfig(experiment="depth", part="growth").run_id
"""
ALL = """
import sys, bnviz
assert all(getattr(bnviz, name) is not None for name in bnviz.__all__)
assert set(bnviz._LAZY) < set(bnviz.__all__) <= set(dir(bnviz)) | set(bnviz._LAZY)
try:
    bnviz.other
except AttributeError as error:
    assert "other" in str(error)
else:
    sys.exit("bnviz.other is something")
"""


@pytest.mark.parametrize("code", [CHECK, CONCLUDE, ALL], ids=["run and record", "conclude", "all names"])
def test_names_stay_what_they_are_and_load_torch_when_they_are_used(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
