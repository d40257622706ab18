#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A file of 256 MiB, cut at 200 random points by killing one end or the other: over a slow link, and
# as fast as it goes.
set -e
cd "$(dirname "$0")/../.."
export COO_TEST_CUTS=200 COO_TEST_MIB=256
tests/netns/56-files-cuts.py
tests/cli/62-files-resume.py
