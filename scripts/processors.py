"""Run the tests that train once for each instruction set that this processor has: other kernels round differently.

    make test-processors                    default, avx2 and avx512, as far as they are there
    make test-processors SETS="default"     one of them

torch reads these variables when it is imported, so each set is a process of its own.
"""

import os
import subprocess
import sys
import time

# ATen's name of a set, and what holds MKL and oneDNN to the same. MKL heeds it on some makes of processors only.
SETS = {
    "default": {"MKL_ENABLE_INSTRUCTIONS": "SSE4_2", "ONEDNN_MAX_CPU_ISA": "SSE41"},
    "avx2": {"MKL_ENABLE_INSTRUCTIONS": "AVX2", "ONEDNN_MAX_CPU_ISA": "AVX2"},
    "avx512": {"MKL_ENABLE_INSTRUCTIONS": "AVX512", "ONEDNN_MAX_CPU_ISA": "AVX512_CORE"},
}
CAPABILITY = "import torch; print(torch.backends.cpu.get_cpu_capability().lower())"
TESTS = ("-m", "pytest", "-n", "2", "-m", "trains")


def environment(name: str) -> dict[str, str]:
    """The environment in which torch computes with this set."""
    return {**os.environ, "ATEN_CPU_CAPABILITY": name, **SETS[name]}


def is_there(name: str) -> bool:
    """Whether torch takes the set when asked to: it falls back on less where the processor does not have it."""
    got = subprocess.run([sys.executable, "-c", CAPABILITY], env=environment(name), capture_output=True, text=True, check=False)
    return got.stdout.strip() == name


def run(name: str, arguments: list[str]) -> tuple[int, float]:
    """(exit status, seconds) of the tests that train."""
    print(f"== {name}", flush=True)
    begin = time.monotonic()
    done = subprocess.run([sys.executable, *TESTS, *arguments], env=environment(name), check=False)
    return done.returncode, time.monotonic() - begin


def main(sets: list[str], arguments: list[str]) -> int:
    """Run every set, also after one that failed; 0 when all passed."""
    failed = False
    said = []
    for name in sets:
        if not is_there(name):
            said.append(f"{name:8} not on this processor")
            continue
        status, seconds = run(name, arguments)
        failed |= status != 0
        said.append(f"{name:8} {'failed' if status else 'passed'} in {seconds:.0f} s")
    print("\n".join(said))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main((os.environ.get("SETS") or " ".join(SETS)).split(), sys.argv[1:]))
