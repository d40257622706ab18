#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A file of 256 MiB, cut 200 times by killing one end or the other.
cd "$(dirname "$0")/../.." || exit 1
COO_TEST_CUTS=200 COO_TEST_MIB=256 exec tests/cli/62-files-resume.py
