"""For all tests: one thread, as in a worker; more only get in each other's way on small tensors."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
