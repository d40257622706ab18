#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# scripts/install-deps.sh [run|test|ci|bench]: makes sure that what coo needs is there: to build it
# (run, the default), to test it (test), to do all that .ci/run does (ci), or to measure it beside
# its rivals (bench). On Debian and Ubuntu it installs exactly what is missing; elsewhere it names
# the packages and stops. Where nothing is missing it ends at once and needs no network.
set -eu

# level  how to see that it is there  Debian  Fedora  Arch  Alpine  openSUSE  Homebrew; - is none
table='
run   cmd:cc               gcc                  gcc             gcc          gcc          gcc             -
run   file:stdio.h         libc6-dev            glibc-devel     glibc        musl-dev     glibc-devel     -
run   cmd:make             make                 make            make         make         make            make
run   cmd:pkg-config       pkg-config           pkgconf         pkgconf      pkgconf      pkgconf         pkg-config
run   lib:libuv            libuv1-dev           libuv-devel     libuv        libuv-dev    libuv-devel     libuv
run   lib:jansson          libjansson-dev       jansson-devel   jansson      jansson-dev  libjansson-devel jansson
run   lib:inih             libinih-dev          inih-devel      libinih      inih-dev     inih-devel      inih
run   lib:libedit          libedit-dev          libedit-devel   libedit      libedit-dev  libedit-devel   libedit
run   linux:cmd:ip         iproute2             iproute         iproute2     iproute2     iproute2        -
test  lib:cmocka           libcmocka-dev        libcmocka-devel cmocka       cmocka-dev   libcmocka-devel cmocka
test  cmd:python3          python3              python3         python       python3      python3         python3
test  linux:cmd:unshare    util-linux           util-linux      util-linux   util-linux   util-linux      -
test  linux:cmd:ss         iproute2             iproute         iproute2     iproute2     iproute2        -
ci    cmd:clang            clang                clang           clang        clang        clang           llvm
ci    deb:libclang-rt-dev  libclang-rt-dev      -               -            -            -               -
ci    cmd:clang-tidy       clang-tidy           -               -            -            -               -
ci    cmd:clang-format-14  clang-format-14      -               -            -            -               -
ci    cmd:mandoc           mandoc               -               -            -            -               -
ci    cmd:shellcheck       shellcheck           -               -            -            -               -
ci    cmd:g++              g++                  -               -            -            -               -
ci    cmd:git              git                  -               -            -            -               -
ci    cmd:iptux            iptux                -               -            -            -               -
ci    lib:libglog          libgoogle-glog-dev   -               -            -            -               -
ci    lib:jsoncpp          libjsoncpp-dev       -               -            -            -               -
ci    lib:sigc++-2.0       libsigc++-2.0-dev    -               -            -            -               -
ci    lib:glib-2.0         libglib2.0-dev       -               -            -            -               -
ci    cmd:nft              nftables             -               -            -            -               -
ci    cmd:tmux             tmux                 -               -            -            -               -
ci    cmd:nping            nmap                 -               -            -            -               -
ci    cmd:nc.openbsd       netcat-openbsd       -               -            -            -               -
ci    cmd:chromium         chromium             -               -            -            -               -
rival cmd:socat            socat                -               -            -            -               -
rival cmd:ncat             ncat                 -               -            -            -               -
rival cmd:inetutils-inetd  inetutils-inetd      -               -            -            -               -
rival deb:libwrap0         libwrap0             -               -            -            -               -
bench cmd:sockperf         sockperf             -               -            -            -               -
bench cmd:irtt             irtt                 -               -            -            -               -
'
PATH=$PATH:/usr/sbin:/sbin

is_there() {
	local kind=${1%%:*} name=${1#*:}
	case $kind in
	cmd) command -v "$name" >/dev/null ;;
	lib) pkg-config --exists "$name" 2>/dev/null ;;
	file) echo "#include <$name>" | cc -E - >/dev/null 2>&1 ;;
	deb) ! command -v dpkg >/dev/null || dpkg -s "$name" >/dev/null 2>&1 ;;
	linux) [ "$(uname -s)" != Linux ] || is_there "$name" ;;
	esac
}

# missing LEVEL COLUMN: names of the missing packages; Debian's where the column has none.
missing() {
	local level check name
	local -a names
	while read -r level check name; do
		case "$1:$level" in
		run:run | test:run | test:test) ;;
		ci:run | ci:test | ci:ci | ci:rival) ;;
		bench:run | bench:test | bench:rival | bench:bench) ;;
		*) continue ;;
		esac
		if [ -z "$check" ] || is_there "$check"; then continue; fi
		read -r -a names <<<"$name"
		name=${names[$2]}
		[ "$name" != - ] || name=${names[0]}
		echo "$name"
	done <<<"$table" | sort -u
}

level=${1:-run}
level=${level#--}
case $level in run | test | ci | bench) ;; *) echo "usage: $0 [run|test|ci|bench]" >&2 && exit 2 ;; esac

column=0 tool='apt-get install'
if ! command -v apt-get >/dev/null; then
	for row in 'dnf 1 dnf install' 'pacman 2 pacman -S' 'apk 3 apk add' \
		'zypper 4 zypper install' 'brew 5 brew install'; do
		read -r name c install <<<"$row"
		if command -v "$name" >/dev/null; then column=$c tool=$install && break; fi
	done
fi
mapfile -t need < <(missing "$level" "$column")

# Debian lets only one inetd be installed; of the second one the program alone is needed.
rivals=build/rivals
unpack_xinetd() {
	local dir
	case $level in ci | bench) ;; *) return 0 ;; esac
	if [ -x "$rivals/usr/sbin/xinetd" ] || [ "$column" -ne 0 ] || ! command -v apt-get >/dev/null; then
		return 0
	fi
	dir=$(mktemp -d)
	(cd "$dir" && { apt-get -q download xinetd || { apt-get -q update && apt-get -q download xinetd; }; } >&2)
	mkdir -p "$rivals"
	dpkg-deb --fsys-tarfile "$dir"/xinetd_*.deb | tar -x -C "$rivals" ./usr/sbin/xinetd
	rm -rf "$dir"
}

if [ ${#need[@]} -eq 0 ]; then
	unpack_xinetd
	exit 0
fi

if [ "$column" -ne 0 ] || ! command -v apt-get >/dev/null; then
	echo "coo needs packages that are missing here; please install them first: $tool ${need[*]}" >&2
	exit 1
fi
sudo=()
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "coo needs packages that are missing here; as root: apt-get install ${need[*]}" >&2
		exit 1
	fi
	sudo=(sudo)
fi
echo "installing what is missing: ${need[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
"${sudo[@]}" apt-get -q update >&2
"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
	apt-get -q -y --no-install-recommends install "${need[@]}" >&2
unpack_xinetd
