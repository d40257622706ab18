# SPDX-License-Identifier: MIT
# Completion of coo for bash: the program itself knows its commands and options.

_coo() {
	local cur=${COMP_WORDS[COMP_CWORD]} program=${COMP_WORDS[0]}

	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$("$program" help --list 2>/dev/null)" -- "$cur")
	elif [ "${COMP_WORDS[1]}" = help ]; then
		[ "$COMP_CWORD" -ne 2 ] ||
			mapfile -t COMPREPLY < <(compgen -W "$("$program" help --list 2>/dev/null)" -- "$cur")
	elif [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W \
			"$("$program" help --list "${COMP_WORDS[1]}" 2>/dev/null)" -- "$cur")
	fi
}

complete -o default -F _coo coo
