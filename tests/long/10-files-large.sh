#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Files of 2 and 4 GiB and one byte, between coo and coo, and with a real iptux at either end.
set -e
cd "$(dirname "$0")/../.."
export COO_TEST_LARGE=1
tests/netns/53-files-all.py
tests/interop/41-files-all.py
