"""Memory that is freed and taken again."""

import subprocess
import sys

import pytest

CHILD = """
import resource
import numpy as np
from miniprom.allocator import keep_freed_memory

keep_freed_memory()
for number in range(100):
    if number == 1:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    columns = [np.ones(1 << 16) for _ in range(4)]
    del columns
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="a setting of glibc")
def test_two_megabytes_are_taken_from_the_kernel_once() -> None:
    child = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True)
    assert int(child.stdout) < 512  # pages: 99 times two megabytes have 50,000
