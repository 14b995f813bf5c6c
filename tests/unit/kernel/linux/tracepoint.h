/* SPDX-License-Identifier: GPL-2.0-only */
/* Tracepoints trace nothing. */
#ifndef KSHIM_LINUX_TRACEPOINT_H
#define KSHIM_LINUX_TRACEPOINT_H

#define TP_PROTO(...)	__VA_ARGS__
#define DECLARE_EVENT_CLASS(...)	struct shim_tracepoint
#define TRACE_EVENT(name, proto, ...) \
	static inline void trace_##name(proto) { } struct shim_tracepoint
#define DEFINE_EVENT(class, name, proto, args)	TRACE_EVENT(name, PARAMS(proto))
#define PARAMS(...)	__VA_ARGS__

#endif /* KSHIM_LINUX_TRACEPOINT_H */
