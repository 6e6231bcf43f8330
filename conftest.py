"""For the whole test run: what is shared with the machine that it runs on."""

import os

from hypothesis import settings

os.environ["BNVIZ_DATA_DIR"] = ""  # no test reads or writes the finished runs of the person who runs the tests

settings.register_profile("no deadline", deadline=None)  # how long an example takes depends on who else uses the machine
settings.load_profile("no deadline")
