#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# scripts/check-static.sh: are the static libraries there that "make static" links?
# scripts/check-static.sh PROGRAM: does what it built run, without any shared library?
set -u

check_libraries() {
	local lib missing=()
	for lib in libuv_a.a:libuv1-dev libjansson.a:libjansson-dev libinih.a:libinih-dev libc.a:libc6-dev; do
		[ -e "$("${CC:-cc}" -print-file-name="${lib%%:*}")" ] || missing+=("${lib%%:*} (Debian: ${lib##*:})")
	done
	# libuv's archive is libuv.a elsewhere than on Debian.
	if [ "${missing[0]-}" = "libuv_a.a (Debian: libuv1-dev)" ] && [ -e "$("${CC:-cc}" -print-file-name=libuv.a)" ]; then
		missing=("${missing[@]:1}")
	fi
	if [ ${#missing[@]} -gt 0 ]; then
		echo "make static needs static libraries that are missing here:" >&2
		printf '  %s\n' "${missing[@]}" >&2
		exit 1
	fi
}

check_libraries
