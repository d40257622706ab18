#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The test runner itself: what passes, fails, hangs, skips and counts many is counted so.
set -eu
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/scripts" "$tree/tests/cli"
cp scripts/run-tests.sh "$tree/scripts"
unset CI COO_NO_SKIP TEST_TIMEOUT

# runs WANTED_LINE WANTED_CODE [OPTIONS]
runs() {
	local line=$1 code=0
	local want=$2
	shift 2
	B=$tree/build "$tree/scripts/run-tests.sh" "$@" >"$tree/out" 2>&1 || code=$?
	if [ "$(tail -n 1 "$tree/out")" != "$line" ] || [ $code -ne "$want" ]; then
		printf 'expected "%s" and exit code %s; got exit code %s and:\n' "$line" "$want" $code
		cat "$tree/out"
		exit 1
	fi
}
test_file() {
	printf '#!/bin/sh\n%s\n' "$2" >"$tree/tests/cli/$1"
	chmod +x "$tree/tests/cli/$1"
}

runs '0 passed, 0 failed, 0 skipped' 1
test_file skip.sh 'echo "no such thing here"; exit 77'
runs '0 passed, 0 failed, 1 skipped' 1 cli
grep -q 'no such thing here' "$tree/out"
test_file pass.sh 'exit 0'
runs '1 passed, 0 failed, 1 skipped' 0 cli
COO_NO_SKIP=1 runs '1 passed, 1 failed, 0 skipped' 1 cli
runs '1 passed, 0 failed, 0 skipped' 0 'cli/p*'
test_file fail.sh 'echo "the reason"; exit 3'
runs '1 passed, 1 failed, 1 skipped' 1 cli
grep -q 'the reason' "$tree/out"
test_file hang.sh 'sleep 100'
runs '1 passed, 2 failed, 1 skipped' 1 -t 1 cli
test_file many.sh 'echo 1..3; echo ok 1 - a; echo not ok 2 - b; echo "not ok 3 # SKIP c"; exit 1'
runs '2 passed, 3 failed, 2 skipped' 1 -t 1 cli
test_file many.sh 'echo ok 1 - a; echo 1..1; exit 1'
runs '2 passed, 3 failed, 1 skipped' 1 -t 1 cli
