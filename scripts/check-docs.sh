#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the examples of README.md as they stand there: every block of "sh" under a "<!-- run -->".
# Each runs on a host of its own in a lab, so it can neither meet a network nor another test.
set -eu
cd "$(dirname "$0")/.."
coo=${COO:-${B:-build}/coo}

blocks=$(mktemp -d)
trap 'rm -rf "$blocks"' EXIT
awk -v dir="$blocks" '
	/^<!-- run -->$/ { marked = 1; next }
	marked && /^```sh$/ { file = sprintf("%s/%02d.sh", dir, ++n); marked = 0; next }
	/^```$/ { file = ""; next }
	file { print >file }' README.md

count=0
for block in "$blocks"/*.sh; do
	[ -e "$block" ] || continue
	count=$((count + 1))
	# The program under test stands in for build/coo; what a person gives a second is waited for.
	sed -i "s|build/coo|$coo|g; s|^sleep 1\$|await h1 udp 2425|" "$block"
	sed 's/^/$ /' "$block"
	code=0
	if grep -q scripts/lab "$block"; then
		timeout 60 bash -e "$block" || code=$?
	else
		timeout 60 scripts/lab 1 -- on h1 bash -e "$block" || code=$?
	fi
	if [ $code -ne 0 ]; then
		[ $code -eq 77 ] || echo "check-docs: that example of README.md ended with exit code $code"
		exit $code
	fi
done
if [ $count -eq 0 ]; then
	echo "check-docs: README.md has no example to run"
	exit 1
fi
