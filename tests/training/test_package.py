"""The names that `import bnviz` offers."""

import subprocess
import sys

CHECK = """
import sys, bnviz
assert "torch" not in sys.modules, "importing bnviz must not load torch"
config = bnviz.RunConfig(steps=0, trials=1)
for _ in range(2):  # importing a submodule must not take the function's name
    first, *_, last = bnviz.run(config)
    assert type(first).__name__ == "RunStarted" and type(last).__name__ == "RunFinished"
from bnviz import record, run
assert len(record(config).curves) == 2
assert callable(run)
"""


def test_run_and_record_stay_what_they_are_after_their_first_use():
    done = subprocess.run([sys.executable, "-c", CHECK], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
