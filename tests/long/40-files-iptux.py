#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tests/interop/41-files-more.py with files beyond 2 and 4 GiB, both ways. It wants 14 GiB of room."""
import os
import sys

TEST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../interop/41-files-more.py")
os.environ["COO_TEST_LARGE"] = "1"
os.execv(sys.executable, [sys.executable, TEST])
