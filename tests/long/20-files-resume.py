#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tests/netns/56-files-cuts.py at its full size: a file of 256 MiB, cut 200 times."""
import os
import sys

TEST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../netns/56-files-cuts.py")
os.environ.update(COO_TEST_CUTS="200", COO_TEST_MIB="256")
os.execv(sys.executable, [sys.executable, TEST])
