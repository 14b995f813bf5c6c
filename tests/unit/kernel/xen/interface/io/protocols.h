/* SPDX-License-Identifier: GPL-2.0-only */
#include <xen/io/protocols.h>
