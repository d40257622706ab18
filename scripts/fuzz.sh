#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# scripts/fuzz.sh PROGRAM: replays the corpus of a fuzz target, then fuzzes for FUZZ_SECONDS; built
# without libFuzzer (clang libclang-rt-14-dev on Debian) it only replays.
# What it finds is left in $B/fuzz/found; a crash belongs into a unit test as a row.
set -eu

program=$1
name=$(basename "$program")
name=${name#fuzz_}
corpus=tests/fuzz/corpus/$name
found=$(dirname "$program")/../../found
mkdir -p "$found"
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1}

seeds=()
[ ! -d "$corpus" ] || seeds=("$corpus")
if [ ${#seeds[@]} -gt 0 ]; then
	"$program" -runs=0 -timeout=10 -artifact_prefix="$found/" "${seeds[@]}"
fi
if [ "${FUZZ_SECONDS:-10}" -gt 0 ]; then
	new=$(mktemp -d)
	trap 'rm -rf "$new"' EXIT
	"$program" -max_total_time="${FUZZ_SECONDS:-10}" -timeout=10 -rss_limit_mb=1024 \
		-print_final_stats=1 -artifact_prefix="$found/" "$new" "${seeds[@]}"
fi
