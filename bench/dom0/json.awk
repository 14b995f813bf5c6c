# SPDX-License-Identifier: GPL-2.0-only
#
# awk -v module=NAME -f json.awk FILE...
#
# Lines NAME=VALUE as JSON: {"runs": {MODULE: [{NAME: VALUE, ...}, ...]}}, of which each
# file is one.

BEGIN { printf "{\"runs\": {\"%s\": [", module }
FNR == 1 { printf "%s\n {", NR == 1 ? "" : "}," ; comma = "" }
match($0, /^[a-z0-9_\/-]+=/) {
	name = substr($0, 1, RLENGTH - 1)
	value = substr($0, RLENGTH + 1)
	gsub(/["\\]/, "\\\\&", value)
	if (name ~ /^version\// || value !~ /^-?[0-9]+(\.[0-9]+)?$/)
		value = "\"" value "\""
	printf "%s\n  \"%s\": %s", comma, name, value
	comma = ","
}
END { print "}\n]}}" }
