# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What tests of one vbd, dom0's xvda, ask of it. Sourced after lib.sh.

BE=$(backend_path 0 xvda)

# key NAME: of the backend
key() { xs_read "$BE/$1"; }

# key_is NAME VALUE
key_is() { [ "$(key "$1")" = "$2" ]; }

# error_like REGEX: in xenstore
error_like() { [[ "$(vbd_error 0 xvda)" =~ $1 ]]; }

# size_is SECTORS: as the frontend has it
size_is() { [ "$(cat /sys/block/xvda/size)" = "$1" ]; }
