#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The rules of the code base that a compiler does not check: which layer may include which, what
# proto may call, names, banned functions. Needs the objects of a build in $B (default build).
set -u
cd "$(dirname "$0")/.." || exit 1
B=${B:-build}
bad=0
complain() {
	printf 'layers: %s\n' "$*" >&2
	bad=$((bad + 1))
}

# proto <- base <- engine <- feature <- cli: a file includes its own layer and those before it.
layers=(proto base engine feature cli)
check_includes() {
	local i f name first allowed=
	for i in "${!layers[@]}"; do
		allowed+="${allowed:+|}${layers[i]}"
		local dir=src/${layers[i]}
		[ "${layers[i]}" != proto ] || dir=proto
		for f in "$dir"/*.[ch]; do
			[ -e "$f" ] || continue
			while read -r name; do
				complain "$f includes \"$name\", which is not beneath its layer"
			done < <(sed -nE 's/^#[ \t]*include "([^"]*)".*/\1/p' "$f" | grep -vE "^($allowed)/")
			[[ $f == *.c && -e ${f%.c}.h ]] || continue
			# Its own header, or the private one of its family: node_int.h for node_tx.c.
			first=$(sed -nE 's/^#[ \t]*include "([^"]*)".*/\1/p;' "$f" | head -n 1)
			[ "src/$first" = "${f%.c}.h" ] || [ "$first" = "${f%.c}.h" ] || [[ $first == *_int.h || $first == *_impl.h ]] ||
				complain "$f does not include its own header first"
		done
	done
}

# proto is ISO C that calls nothing but itself and mem*; what the compiler adds for its own checks
# is not a call of ours.
check_proto() {
	local f symbol
	for f in proto/*.[ch]; do
		while read -r symbol; do
			complain "$f includes <$symbol>; proto uses the freestanding headers and <string.h>"
		done < <(sed -nE 's/^#[ \t]*include <([^>]*)>.*/\1/p' "$f" |
			grep -vxE '(limits|stdbool|stddef|stdint|string|assert)\.h')
	done
	for f in proto/*.c; do
		if [ ! -e "$B/${f%.c}.o" ]; then
			complain "$B/${f%.c}.o is missing: build first"
			continue
		fi
		while read -r symbol; do
			complain "$f calls $symbol"
		done < <(nm -u "$B/${f%.c}.o" | sed -nE 's/^ *[Uuwv] //p' | grep -vxE \
			'coo_[a-z0-9_]+|mem(cpy|move|set|cmp|chr)|strlen|__mem(cpy|move|set)_chk|__stack_chk_(fail|guard)|_?_GLOBAL_OFFSET_TABLE_|__(a|ub|sanitizer_|sancov_|asan_|ubsan_)[a-z0-9_]*|__assert_fail')
	done
}

# An archive member is a base name, so two files of one name would hide each other.
check_names() {
	local name
	for name in $(basename -a proto/*.c src/{base,engine,feature}/*.c 2>/dev/null | sort | uniq -d); do
		[ "$name" = '*.c' ] || complain "the library has two files named $name"
	done
	for name in *; do
		case $name in
		src | proto | tests | scripts | Makefile | README.md | LICENSE | CHANGELOG.md) ;;
		build | build-* | coo-*.tar.gz) ;; # made by make, ignored by git
		*) complain "$name does not belong on the top level" ;;
		esac
	done
}

# Every name the library exports carries its prefix.
check_prefix() {
	local symbol
	[ -e "$B/libcoo.a" ] || return 0
	while read -r symbol; do
		complain "libcoo.a exports $symbol, which lacks the prefix coo_"
	done < <(nm -g --defined-only "$B/libcoo.a" 2>/dev/null | sed -nE 's/^[0-9a-f]+ [A-Z] //p' |
		grep -vE '^(coo_|__(asan|odr_asan|ubsan|sancov|start|stop))')
}

check_banned() {
	local banned='strcpy|strcat|sprintf|vsprintf|strncpy|strncat|gets|v?f?s?scanf|ato[ilf]|atoll'
	banned+='|strtok(_r)?|alloca|setjmp|longjmp|inet_ntoa|gethostbyname|s?rand|signal|system|popen'
	local f hit
	# Comments and string literals are taken out first; they may name what they like.
	while read -r f; do
		while read -r hit; do
			complain "$f: banned function: $hit"
		done < <(strip_comments "$f" | grep -nE "(^|[^A-Za-z0-9_.>])($banned)[ \t]*\(")
	done < <(find proto src tests -name '*.[ch]')
	while read -r f; do
		complain "$f uses snprintf, which is for cli, log and the text of addresses, times and paths"
	done < <(grep -lE '(^|[^A-Za-z0-9_])v?snprintf[ \t]*\(' proto/*.[ch] src/{base,engine,feature}/*.[ch] 2>/dev/null |
		grep -vxE 'src/(base/(log|addr|clock)|engine/stdport|feature/(execpool|relay))\.c')
	while read -r f; do
		complain "$f does not begin with its SPDX line"
	done < <(find proto src tests -name '*.[ch]' -exec sh -c \
		'for f; do head -n 1 "$f" | grep -q "SPDX-License-Identifier: MIT" || echo "$f"; done' sh {} +)
}

strip_comments() {
	sed -E 's/"([^"\\]|\\.)*"/""/g' "$1" |
		awk '{
			out = ""
			while (length($0)) {
				if (inside) {
					at = index($0, "*/")
					if (!at) { $0 = ""; break }
					$0 = substr($0, at + 2); inside = 0
				} else {
					at = index($0, "/*")
					if (!at) { out = out $0; break }
					out = out substr($0, 1, at - 1) " "; $0 = substr($0, at + 2); inside = 1
				}
			}
			sub(/\/\/.*/, "", out); print out
		}'
}

# A note, not a fault: tables may be long.
note_long_files() {
	find proto src -name '*.[ch]' -exec wc -l {} + |
		awk '$2 != "total" && $1 > 400 { print "layers: note: " $2 " has " $1 " lines" }'
}

check_includes
check_proto
check_names
check_prefix
check_banned
note_long_files
if [ $bad -gt 0 ]; then
	echo "layers: $bad complaints" >&2
	exit 1
fi
echo "layers: ok"
