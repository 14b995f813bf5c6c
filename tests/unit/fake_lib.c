// SPDX-License-Identifier: GPL-2.0-only
/* Strings, numbers, printing: as the kernel's library has them. */
#include "fake.h"

#include <errno.h>
#include <linux/device.h>
#include <linux/module.h>
#include <stdlib.h>
#undef vsnprintf

/* ---- printing ------------------------------------------------------------ */

/* %*pE: text of so many bytes; what cannot be printed is escaped as C does it. */
static int print_escaped(char *buf, size_t size, int len, const char *text)
{
	static const char special[] = "\n\r\t\v\f\a\033", letters[] = "nrtvfae";
	const char *found;
	int i, n = 0;

	for (i = 0; i < len && n + 5 < (int)size; i++) {
		found = text[i] ? strchr(special, text[i]) : NULL;
		if (found)
			n += snprintf(buf + n, size - n, "\\%c", letters[found - special]);
		else
			n += snprintf(buf + n, size - n, isprint((u8)text[i]) ? "%c" : "\\%03o",
				      (u8)text[i]);
	}
	return n;
}

/* One conversion, of which @spec is the text. */
static int print_one(char *buf, size_t size, const char *spec, va_list *args)
{
	size_t len = strlen(spec);
	char conv = spec[len - 1];

	if (conv == 's')
		return snprintf(buf, size, spec, va_arg(*args, const char *));
	if (conv == 'p')
		return snprintf(buf, size, spec, va_arg(*args, void *));
	if (conv == '%')
		return snprintf(buf, size, "%%");
	if (strstr(spec, "ll"))
		return snprintf(buf, size, spec, va_arg(*args, unsigned long long));
	if (strchr(spec, 'l') || strchr(spec, 'z'))
		return snprintf(buf, size, spec, va_arg(*args, unsigned long));
	return snprintf(buf, size, spec, va_arg(*args, int));
}

int shim_vsnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
	char spec[16], out[4096];
	size_t n = 0, len;
	va_list copy;
	int width;

	va_copy(copy, args);
	while (*fmt && n + 1 < sizeof(out)) {
		if (*fmt != '%') {
			out[n++] = *fmt++;
			continue;
		}
		if (!strncmp(fmt, "%*pE", 4)) {
			width = va_arg(copy, int);
			n += print_escaped(out + n, sizeof(out) - n, width,
					   va_arg(copy, const char *));
			fmt += 4;
			continue;
		}
		len = 1 + strcspn(fmt + 1, "diuxXcsp%") + 1;
		shim_bug_on(len >= sizeof(spec));
		memcpy(spec, fmt, len);
		spec[len] = 0;
		n += print_one(out + n, sizeof(out) - n, spec, &copy);
		fmt += len;
	}
	va_end(copy);
	n = min(n, sizeof(out) - 1);
	out[n] = 0;
	if (size)
		snprintf(buf, size, "%s", out);
	return n;
}

int scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = shim_vsnprintf(buf, size, fmt, args);
	va_end(args);
	return min(n, (int)size - 1);
}

int sysfs_emit(char *buf, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = shim_vsnprintf(buf, 4096, fmt, args);
	va_end(args);
	return n;
}

int sysfs_emit_at(char *buf, int at, const char *fmt, ...)
{
	va_list args;
	int n;

	shim_bug_on(at < 0 || at >= 4096);
	va_start(args, fmt);
	n = shim_vsnprintf(buf + at, 4096 - at, fmt, args);
	va_end(args);
	return min(n, 4096 - at - 1);
}

/* ---- the log ------------------------------------------------------------- */

static char log_text[65536];
static size_t log_len;

void shim_log(const char *level, const char *fmt, ...)
{
	va_list args;

	/* What is too much is lost. */
	if (log_len + 4096 > sizeof(log_text))
		return;
	log_len += sprintf(log_text + log_len, "%s: ", level);
	va_start(args, fmt);
	log_len += shim_vsnprintf(log_text + log_len, sizeof(log_text) - log_len,
				  fmt, args);
	va_end(args);
}

const char *fake_log(void)
{
	return log_text;
}

void fake_log_clear(void)
{
	log_len = 0;
	log_text[0] = 0;
}

bool fake_logged(const char *text)
{
	return strstr(log_text, text);
}

void ratelimit_state_init(struct ratelimit_state *rs, unsigned int interval,
			  unsigned int burst)
{
	*rs = (struct ratelimit_state) { .interval = interval, .burst = burst };
}

bool __ratelimit(struct ratelimit_state *rs)
{
	if (!rs->begin || time_after(jiffies, rs->begin + rs->interval)) {
		rs->begin = jiffies;
		rs->printed = 0;
	}
	if (rs->printed >= rs->burst)
		return false;
	rs->printed++;
	return true;
}

/* ---- strings and numbers -------------------------------------------------- */

int kstrtou64(const char *str, unsigned int base, u64 *val)
{
	u64 parsed;
	char *end;

	if (!isxdigit((u8)(str[0] == '+' ? str[1] : str[0])))
		return -EINVAL;
	errno = 0;
	parsed = strtoull(str, &end, base);
	/* A newline at the end is of sysfs. */
	if (end == str || (*end && strcmp(end, "\n")))
		return -EINVAL;
	if (errno)
		return -errno;
	*val = parsed;
	return 0;
}

int kstrtouint(const char *str, unsigned int base, unsigned int *val)
{
	u64 parsed;
	int err = kstrtou64(str, base, &parsed);

	if (err)
		return err;
	if (parsed > UINT_MAX)
		return -ERANGE;
	*val = parsed;
	return 0;
}

ssize_t strscpy(char *dst, const char *src, size_t size)
{
	size_t len = strnlen(src, size);
	bool fits = len < size;

	len = fits ? len : size - 1;
	memcpy(dst, src, len);
	dst[len] = 0;
	return fits ? (ssize_t)len : -E2BIG;
}

char *strreplace(char *str, char from, char to)
{
	char *c;

	for (c = str; *c; c++)
		if (*c == from)
			*c = to;
	return str;
}

char *strim(char *str)
{
	size_t len = strlen(str);

	while (len && isspace((u8)str[len - 1]))
		str[--len] = 0;
	return str + strspn(str, " \t\n\v\f\r");
}

int __sysfs_match_string(const char * const *strs, size_t nr, const char *str)
{
	size_t len = strcspn(str, "\n"), i;

	for (i = 0; i < nr; i++)
		if (strs[i] && strlen(strs[i]) == len && !strncmp(strs[i], str, len))
			return i;
	return -EINVAL;
}

enum system_states system_state = SYSTEM_RUNNING;

int kstrtoll(const char *str, unsigned int base, long long *val)
{
	u64 parsed;
	int err = kstrtou64(str + (str[0] == '-'), base, &parsed);

	if (err)
		return err;
	if (parsed > LLONG_MAX)
		return -ERANGE;
	*val = str[0] == '-' ? -(long long)parsed : (long long)parsed;
	return 0;
}

int param_get_uint(char *buf, const struct kernel_param *kp)
{
	return scnprintf(buf, 4096, "%u\n", *(unsigned int *)kp->arg);
}

int param_set_bool(const char *val, const struct kernel_param *kp)
{
	if (!strchr("01YN", val[0]) || val[1])
		return -EINVAL;
	*(bool *)kp->arg = val[0] == '1' || val[0] == 'Y';
	return 0;
}

int param_get_bool(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%c\n", *(bool *)kp->arg ? 'Y' : 'N');
}
