# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What is to be measured: words PLACE/KIND/CELL, in the option "plan".

# plan_places: each once, in their order
plan_places()
{
	plan_words | awk -F / '!seen[$1]++ { print $1 }'
}

# plan_kinds PLACE: of the disks, each once
plan_kinds()
{
	plan_words | awk -F / -v place="$1" '$1 == place && !seen[$2]++ { print $2 }'
}

# plan_cells PLACE KIND
plan_cells()
{
	plan_words | awk -F / -v place="$1" -v kind="$2" '$1 == place && $2 == kind { print $3 }'
}

# plan_has REGEX: is there such a word?
plan_has()
{
	plan_words | grep -qx "$1"
}

plan_words()
{
	tr ' ' '\n' <<<"${OPTION[plan]}"
}
