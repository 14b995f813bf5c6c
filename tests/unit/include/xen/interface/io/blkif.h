/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_XEN_INTERFACE_IO_BLKIF_H
#define SHIM_XEN_INTERFACE_IO_BLKIF_H

#include <stdint.h>
#include <xen/io/blkif.h>

#endif /* SHIM_XEN_INTERFACE_IO_BLKIF_H */
