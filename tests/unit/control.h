/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A host around the control plane: the directories of one vbd as a toolstack and a
 * guest write them, disks, and the time that passes.
 */
#ifndef UNIT_CONTROL_H
#define UNIT_CONTROL_H

#include <linux/blkdev.h>

#include "common.h"
#include "unit.h"

#define BE	"backend/vbd/7/51712"
#define FE	"/local/domain/7/device/vbd/51712"

/* Before and after each test. The latter finds what was left behind. */
int control_setup(void **state);
int control_teardown(void **state);

#define CONTROL_TEST(f)	cmocka_unit_test_setup_teardown(f, control_setup, control_teardown)

void control_check_clean(void);
/* As before a test, if nothing was left behind, but for time and the disk's data. */
void control_renew(void);

/* What a toolstack and a guest write to begin with. */
void control_write_backend(void);
/* The same for any vbd of that guest, on any disk. */
void control_write_directory(const char *dir, const char *disk);
void control_write_frontend(void);

/* ---- what goes on ------------------------------------------------------- */

/* Do all work that is due, and deliver all events of watches. */
void control_settle(void);
/* The same, for so many jiffies. */
void control_pass(unsigned long time);
/* The disk answers requests only after 20 seconds. */
extern bool control_disk_hangs;

/* The guest sends a request of one page, and the ring's thread takes it to the disk. */
void control_request(struct xenvbd_ring *ring, u8 op);
/* So many of the guest's requests were answered, with this status. */
unsigned int control_nr_responses(const struct xenvbd_ring *ring, s16 status);
/* The guest moves req_prod where it cannot be. */
void control_break(struct xenvbd_ring *ring);

/* Events for udev since the last call: "event text; event text". */
const char *control_uevents(void);

/* ---- what the driver shows and holds ------------------------------------ */

extern int control_nr_module_refs;
/* Files in a directory of debugfs, and what they say. */
unsigned int control_nr_files(const char *dir);
const char *control_show(const char *dir);
/* Write to a file of debugfs. */
void control_kick(const char *name);

/* ---- a vbd by itself ---------------------------------------------------- */

/* Without a probe, and with its lock held. */
struct xenvbd *control_vbd(void);
void control_vbd_put(struct xenvbd *vbd);

/* Has something failed with this errno and, exactly, this text? */
#define expect_error(vbd, got, err, text) \
	expect_error_at(vbd, got, err, text, __FILE__, __LINE__)
void expect_error_at(const struct xenvbd *vbd, int got, int err, const char *text,
		     const char *file, int line);

#endif /* UNIT_CONTROL_H */
