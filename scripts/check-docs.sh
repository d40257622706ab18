#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Checks what is written for users against the program: that every option of a command stands in its
# manual page and nothing that is none does, and that the examples run as they stand: in README.md
# every block of "sh" under a "<!-- run -->", in src/man every .Bd under a comment line "run".
# Each runs on a host of its own in a lab, so it can neither meet a network nor another test.
set -eu
cd "$(dirname "$0")/.."
coo=$(realpath "${COO:-${B:-build}/coo}")
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

complain() {
	echo "check-docs: $*"
	failed=1
}

# The options that a manual page documents, as the program lists them: "Fl c , Fl \-count" and
# "Fl c , -count" of items.
documented() {
	awk '/^\.It Fl / {
		want = 0
		for (i = 2; i <= NF; i++) {
			if ($i == "Fl" || $i == ",") want = 1
			else if (want && $i !~ /^[A-Z][a-z]$/) { sub(/\\/, "", $i); print "-" $i; want = 0 }
			else want = 0
		}
	}' "$1" | sort -u
}

check_options() {
	local command page options option
	documented src/man/coo.1 >"$work/shared"
	for command in $("$coo" help --list); do
		page=src/man/coo-$command.1
		case $command in help | version) continue ;; esac
		# unfinished commands, without a page so far
		case $command in peers | broadcast) [ -e "$page" ] || continue ;; esac
		grep -q "Xr coo-$command 1" src/man/coo.1 || complain "coo.1 does not name coo-$command(1)"
		if [ ! -e "$page" ]; then
			complain "\"coo $command\" has no manual page $page"
			continue
		fi
		options=$("$coo" help --list "$command" | sort -u)
		documented "$page" >"$work/own"
		for option in $options; do
			[ "$option" = --help ] || grep -qxFe "$option" "$work/own" "$work/shared" ||
				complain "$page does not document $option"
		done
		while read -r option; do
			grep -qxFe "$option" <<<"$options" ||
				complain "$page documents $option, which \"coo $command\" does not have"
		done <"$work/own"
	done
}

# extract_readme DIR; extract_man PAGE DIR: one file an example.
extract_readme() {
	awk -v dir="$1" '
		/^<!-- run -->$/ { marked = 1; next }
		marked && /^```sh$/ { file = sprintf("%s/%02d.sh", dir, ++n); marked = 0; next }
		/^```$/ { file = ""; next }
		file { print >file }' README.md
}
extract_man() {
	awk -v dir="$2" '
		/^\.\\" run$/ { marked = 1; next }
		marked && /^\.Bd / { file = sprintf("%s/%02d.sh", dir, ++n); marked = 0; next }
		/^\.Ed/ { file = ""; next }
		file {
			sub(/^\$ /, ""); gsub(/\\e/, "\\"); gsub(/\\-/, "-")
			gsub(/\\\(dq/, "\""); gsub(/\\\(aq/, "\047")
			print >file
		}' "$1"
}

# run_example WHERE FILE FOLDER: in a shell that finds coo, and ends with the first failure.
run_example() {
	local code=0
	sed 's/^/$ /' "$2"
	if grep -q scripts/lab "$2"; then
		timeout 60 bash -e "$2" || code=$?
	else
		(cd "$3" && PATH=$work/bin:$PATH timeout 60 "$root/scripts/lab" 1 -- on h1 bash -e "$2") || code=$?
	fi
	[ $code -ne 77 ] || exit 77
	[ $code -eq 0 ] || complain "that example of $1 ended with exit code $code"
}

check_options
mkdir "$work/bin" "$work/README.md"
ln -s "$coo" "$work/bin/coo"
extract_readme "$work/README.md"
for page in src/man/*.1; do
	mkdir "$work/${page##*/}"
	extract_man "$page" "$work/${page##*/}"
done
count=0
for block in "$work"/README.md/*.sh "$work"/*.1/*.sh; do
	[ -e "$block" ] || continue
	count=$((count + 1))
	where=$(basename "$(dirname "$block")") folder=$(mktemp -d -p "$work")
	if [ "$where" = README.md ]; then
		# The program under test stands in for build/coo; what a person gives a second is waited for.
		sed -i "s|build/coo|$coo|g; s|^sleep 1\$|await h1 udp 2425|" "$block"
		folder=$root
	fi
	run_example "$where" "$block" "$folder"
done
[ $count -gt 2 ] || complain "there are no examples to run"
exit $failed
