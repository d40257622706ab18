#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# scripts/check-static.sh: are the static libraries there that "make static" links?
# scripts/check-static.sh PROGRAM: does what it built run where there is no other file at all, and
# read GBK there?
set -u

has() {
	[ -e "$("${CC:-cc}" -print-file-name="$1")" ]
}

check_libraries() {
	local missing=()
	has libuv_a.a || has libuv.a || missing+=('libuv (Debian: libuv1-dev)')
	has libjansson.a || missing+=('jansson (Debian: libjansson-dev)')
	has libinih.a || missing+=('inih (Debian: libinih-dev)')
	has libc.a || missing+=('libc (Debian: libc6-dev)')
	[ ${#missing[@]} -eq 0 ] && return
	echo "make static needs static libraries that are missing here:" >&2
	printf '  %s\n' "${missing[@]}" >&2
	exit 1
}

# PROGRAM in a folder that is its whole file system; without that right, where it stands.
alone() {
	if unshare --user --map-root-user chroot "$folder" /coo version >/dev/null 2>&1; then
		unshare --user --map-root-user chroot "$folder" /coo "$@"
	else
		env -i "$folder/coo" "$@"
	fi
}

check_program() {
	local packet
	if ldd "$1" 2>/dev/null | grep -q '=>'; then
		echo "$1 needs shared libraries" >&2
		exit 1
	fi
	folder=$(mktemp -d)
	trap 'rm -rf "$folder"' EXIT
	cp "$1" "$folder/coo"
	alone version || exit 1
	# "1:123123:吴彦祖:吴彦祖-pc:32:haha" in GBK
	packet=313a3132333132333acee2d1e5d7e63acee2d1e5d7e62d70633a33323a68616861
	alone decode --charset gbk $packet | grep -q 吴彦祖 || {
		echo "$1 does not read GBK" >&2
		exit 1
	}
	echo "$1 runs without any other file and reads GBK"
}

if [ $# -eq 0 ]; then check_libraries; else check_program "$1"; fi
