# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The modules of both ends in dom0, and the backend's parameters.

# module_load [PARAMETER...]: the backend under test, and is it the right one?
module_load()
{
	modprobe xen-blkback "$@" || return
	case $LAB_MODULE in
	ours) modinfo -F filename xen-blkback | grep -q /updates/ ;;
	stock) ! modinfo -F filename xen-blkback | grep -q /updates/ ;;
	esac
}

# module_unload: the backend; fails while it is in use
module_unload()
{
	modprobe -r xen-blkback
}

# parameter NAME [VALUE]: of the backend, at run time
parameter()
{
	local file=/sys/module/xen_blkback/parameters/$1

	if [ $# = 1 ]; then
		cat "$file"
	else
		echo "$2" >"$file"
	fi
}

# frontend_load [PARAMETER...]: xen-blkfront in dom0, for loopback disks
# shellcheck disable=SC2120 # tests may pass parameters
frontend_load()
{
	modprobe xen-blkfront "$@"
}

# frontend_unload: succeeds if there is none, too
frontend_unload()
{
	modprobe -r xen-blkfront
}

# frontend_reload [PARAMETER...]: parameters are read at load time
frontend_reload()
{
	frontend_unload
	frontend_load "$@"
}
