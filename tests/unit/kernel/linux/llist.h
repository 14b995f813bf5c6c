/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KSHIM_LINUX_LLIST_H
#define KSHIM_LINUX_LLIST_H

#include <linux/kernel.h>

struct llist_node {
	struct llist_node *next;
};

struct llist_head {
	struct llist_node *first;
};

static inline void init_llist_head(struct llist_head *list)
{
	list->first = NULL;
}

static inline bool llist_empty(const struct llist_head *list)
{
	return !READ_ONCE(list->first);
}

/* True if the list was empty. */
static inline bool llist_add(struct llist_node *node, struct llist_head *list)
{
	node->next = list->first;
	list->first = node;
	return !node->next;
}

static inline struct llist_node *llist_del_all(struct llist_head *list)
{
	return xchg(&list->first, NULL);
}

static inline struct llist_node *llist_reverse_order(struct llist_node *head)
{
	struct llist_node *node, *reversed = NULL;

	while ((node = head)) {
		head = node->next;
		node->next = reversed;
		reversed = node;
	}
	return reversed;
}

#define llist_entry_safe(ptr, type, member) \
	({ typeof(ptr) ptr_ = (ptr); ptr_ ? container_of(ptr_, type, member) : NULL; })

#define llist_for_each_entry_safe(pos, n, node, member)				\
	for (pos = llist_entry_safe(node, typeof(*pos), member);		\
	     pos && (n = llist_entry_safe(pos->member.next, typeof(*n), member), 1); \
	     pos = n)

#endif /* KSHIM_LINUX_LLIST_H */
