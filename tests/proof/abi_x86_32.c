// SPDX-License-Identifier: GPL-2.0-only
#define REF_X86_32
#include "abi.c"
