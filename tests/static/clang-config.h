/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included into every file that clang compiles against the headers of a kernel
 * that gcc has built: takes back what its .config says of gcc alone.
 */
#undef CONFIG_CC_IS_GCC
#define CONFIG_CC_IS_CLANG 1
/* Per-cpu variables in an address space, where clang 14 sees it named twice. */
#undef CONFIG_CC_HAS_NAMED_AS
#undef CONFIG_USE_X86_SEG_SUPPORT
