#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The completion for bash offers what the program itself lists.
set -eu
coo=${COO:-build/coo}
# shellcheck source=src/completion/coo.bash
source src/completion/coo.bash

# offers WORD…: what pressing tab after these words gives, one a line
offers() {
	COMP_WORDS=("$coo" "$@")
	COMP_CWORD=$#
	COMPREPLY=()
	_coo
	printf '%s\n' "${COMPREPLY[@]}"
}
expect() {
	if [ "$1" != "$2" ]; then
		printf 'expected:\n%s\ngot:\n%s\n' "$1" "$2"
		exit 1
	fi
}

expect "$("$coo" help --list)" "$(offers '')"
expect version "$(offers ver)"
expect version "$(offers help ver)"
expect --json "$(offers version --j)"
expect '' "$(offers version x)"
expect '' "$(offers no-such-command --)"
