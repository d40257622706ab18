#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# scripts/tidy.sh FLAGS…: clang-tidy with .clang-tidy over the product's C sources, on every processor; the
# tests are left to the compilers, since the analyzer takes minutes for them.
set -eu
cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
code=0

# proto is ISO C, so it is checked without the names that glibc adds.
# shellcheck disable=SC2016 # the shell below expands them
tidy() {
	xargs -0 -r -n 4 -P "$(getconf _NPROCESSORS_ONLN)" \
		sh -c 'tool=$1 flags=$2; shift 2; exec $tool --quiet "$@" -- $flags' sh \
		"${CLANG_TIDY:-clang-tidy}" "-std=c11 $*" >>"$log" 2>&1 || code=1
}
# not "find | tidy": what a pipe's shell learns is forgotten with it
tidy "$@" < <(find proto -name '*.c' -print0)
tidy -D_GNU_SOURCE "$@" < <(find src -name '*.c' -print0)
grep -vE ' warnings? generated\.$|^Suppressed |^Use -header-filter' "$log" || true
exit $code
