#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=1800
#
# As 44-storms.sh, with 100 vbds at once and a storm of 20 seconds.

export MANY=100 STORM=20
# shellcheck source=/dev/null
. /lab/long/44-storms.sh
