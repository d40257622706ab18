#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the test rings and counts what passed. "scripts/run-tests.sh --help" tells more.
set -u

usage() {
	cat <<'END'
Usage: scripts/run-tests.sh [OPTIONS] [RING…]

Runs the rings named, or all of them: unit golden sim fuzz cli netns interop docs. One more runs
only where it is named, since it takes many minutes and gigabytes: long.
A RING may also be RING/PATTERN: "cli/*send*".

  -j N         how many tests run at once (default: the number of processors)
  -t SECONDS   limit of one test (default: by ring)
  -l           list the tests, run none
  -h, --help   this text

Environment: B (build folder, default build), COO (the program, default $B/coo), FUZZ_SECONDS
(fuzzing after the replay of a corpus, default 10), CI=true or COO_NO_SKIP=1 (a skipped test counts
as failed), TEST_TIMEOUT (as -t).

A test is a program: exit 0 passed, 77 skipped (its last line says why), anything else failed. The
tests within a cmocka program count one by one. Logs are in $B/test-logs. The last line is
"N passed, N failed, N skipped".
END
}

B=${B:-build}
COO=${COO:-$B/coo}
FUZZ_SECONDS=${FUZZ_SECONDS:-10}
logs=$B/test-logs
all_rings=(unit golden sim fuzz cli netns interop docs)

# Prints "ring<TAB>name<TAB>limit<TAB>command" of every test of one ring.
list_ring() {
	local f name
	case $1 in
	unit | golden | sim)
		for f in tests/"$1"/{test,golden,sim}_*.c; do
			[ -e "$f" ] || continue
			name=$(basename "$f" .c)
			printf '%s\t%s\t%s\t%s\n' "$1" "$name" 60 "$B/tests/$1/$name"
		done
		;;
	fuzz)
		for f in tests/fuzz/fuzz_*.c; do
			[ -e "$f" ] || continue
			name=$(basename "$f" .c)
			printf '%s\t%s\t%s\t%s\n' fuzz "$name" $((FUZZ_SECONDS + 60)) \
				"scripts/fuzz.sh $B/fuzz/tests/fuzz/$name"
		done
		;;
	cli | netns | interop)
		for f in tests/"$1"/*.{sh,py}; do
			[ -x "$f" ] || continue
			printf '%s\t%s\t%s\t%s\n' "$1" "$(basename "$f")" 120 "$f"
		done
		;;
	long)
		for f in tests/long/*.py; do
			printf '%s\t%s\t%s\t%s\n' "$1" "$(basename "$f")" 1800 "$f"
		done
		;;
	docs)
		[ ! -x scripts/check-docs.sh ] ||
			printf 'docs\tcheck-docs.sh\t120\tscripts/check-docs.sh\n'
		;;
	*)
		echo "run-tests: there is no ring \"$1\"; they are: ${all_rings[*]} long" >&2
		return 2
		;;
	esac
}

# What a command of coo may read from its surroundings is the test's own.
prepare_home() {
	local v
	mkdir -p "$1"/{config,state,cache,data,run,tmp}
	chmod 700 "$1/run"
	export HOME=$1 XDG_CONFIG_HOME=$1/config XDG_STATE_HOME=$1/state XDG_CACHE_HOME=$1/cache
	export XDG_DATA_HOME=$1/data XDG_RUNTIME_DIR=$1/run TMPDIR=$1/tmp LC_ALL=C.UTF-8
	for v in $(compgen -e COO_ || true); do
		[ "$v" = COO_NO_SKIP ] || unset "$v"
	done
	unset NO_COLOR
	export B COO FUZZ_SECONDS CMOCKA_MESSAGE_OUTPUT=TAP
	export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
}

# One test: writes its log and "passed failed skipped" of it, prints its line.
run_one() {
	local ring=$1 name=$2 limit=${TEST_TIMEOUT:-$3} cmd=$4
	local log=$logs/$ring-$name.log home code start took
	local -a words
	local passed=0 failed=0 skipped=0
	read -r -a words <<<"$cmd"
	home=$(mktemp -d "${TMPDIR:-/tmp}/coo-test.XXXXXX") || exit 1
	start=$(date +%s%N)
	(
		prepare_home "$home"
		exec timeout -k 5 "$limit" "${words[@]}" </dev/null
	) >"$log" 2>&1
	code=$?
	took=$((($(date +%s%N) - start) / 1000000))
	rm -rf "$home"
	[ $code -ne 124 ] && [ $code -ne 137 ] || echo "ended after its limit of $limit s" >>"$log"

	# cmocka speaks TAP: "ok 1 - name", "not ok 2 - name", "not ok 3 # SKIP name".
	if grep -qE '^1\.\.[0-9]+' "$log" && [ $code -ne 77 ]; then
		skipped=$(grep -cE '^(not )?ok .*# SKIP' "$log")
		failed=$(grep -E '^not ok ' "$log" | grep -vc '# SKIP')
		passed=$(grep -E '^ok ' "$log" | grep -vc '# SKIP')
	elif [ $code -eq 0 ]; then
		passed=1
	fi
	if [ $code -eq 77 ]; then
		skipped=1
	elif [ $code -ne 0 ] && [ "$failed" -eq 0 ]; then
		failed=1
	fi
	printf '%s %s %s\n' "$passed" "$failed" "$skipped" >"$logs/$ring-$name.count"
	report_one "$ring/$name" "$code" "$passed" "$failed" "$skipped" "$took" "$log"
}

report_one() {
	local name=$1 code=$2 passed=$3 failed=$4 skipped=$5 took=$6 log=$7 word=ok text
	[ "$skipped" -eq 0 ] || word=skip
	[ "$failed" -eq 0 ] || word=FAIL
	printf -v text '%-5s %s (%d.%d s' $word "$name" $((took / 1000)) $((took % 1000 / 100))
	[ $((passed + failed + skipped)) -le 1 ] || text+=", $((passed + failed + skipped)) tests"
	text+=')'
	[ "$skipped" -eq 0 ] || text+=": $(grep -E '# SKIP' "$log" || tail -n 1 "$log")"
	if [ "$failed" -gt 0 ]; then
		text+=$'\n'"----- $log, exit code $code"$'\n'
		text+=$(tail -n 200 "$log")$'\n'"-----"
	fi
	printf '%s\n' "$text"
}

if [ "${1-}" = --one ]; then
	shift
	run_one "$@"
	exit 0
fi

jobs=$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN) list=
while [ $# -gt 0 ]; do
	case $1 in
	-j) jobs=$2 && shift 2 ;;
	-t) export TEST_TIMEOUT=$2 && shift 2 ;;
	-l) list=1 && shift ;;
	-h | --help) usage && exit 0 ;;
	-*) usage >&2 && exit 2 ;;
	*) break ;;
	esac
done
cd "$(dirname "$0")/.." || exit 1
case $B in /*) ;; *) B=$PWD/$B ;; esac
case $COO in /*) ;; *) COO=$PWD/$COO ;; esac
logs=$B/test-logs
export B COO FUZZ_SECONDS

[ $# -gt 0 ] || set -- "${all_rings[@]}"
mkdir -p "$logs"
rm -f "$logs"/*.log "$logs"/*.count
todo=$logs/todo
for ring in "$@"; do
	pattern='*'
	case $ring in */*) pattern=${ring#*/} ring=${ring%%/*} ;; esac
	tests=$(list_ring "$ring") || exit 2
	while IFS=$'\t' read -r r name rest; do
		# shellcheck disable=SC2053 # the pattern is meant as one
		[ -z "$r" ] || [[ $name != $pattern ]] || printf '%s\t%s\t%s\n' "$r" "$name" "$rest"
	done <<<"$tests"
done >"$todo"
if [ -n "$list" ]; then
	cut -f 1,2 "$todo" | tr '\t' '/'
	exit 0
fi

tr '\t\n' '\0\0' <"$todo" | xargs -0 -r -n 4 -P "$jobs" "$0" --one

# A test without a count was ended from outside: it failed.
passed=0 failed=0 skipped=0
while IFS=$'\t' read -r ring name _; do
	if ! read -r p f s 2>/dev/null <"$logs/$ring-$name.count"; then
		echo "FAIL  $ring/$name: the runner was ended" && p=0 f=1 s=0
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done <"$todo"

code=0
if [ $((passed + failed)) -eq 0 ]; then
	echo "run-tests: no test ran" >&2
	code=1
fi
if [ $skipped -gt 0 ] && { [ "${CI-}" = true ] || [ -n "${COO_NO_SKIP-}" ]; }; then
	echo "run-tests: no test may be skipped here, so those skipped count as failed" >&2
	failed=$((failed + skipped)) skipped=0
fi
[ $failed -eq 0 ] || code=1
echo "$passed passed, $failed failed, $skipped skipped"
exit $code
