/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A vbd with rings, as the control plane sets them up, on the fake disk; and the
 * guest at the other end of the rings.
 */
#ifndef RIG_H
#define RIG_H

#include "common.h"
#include "fake.h"
#include "unit.h"

#define RIG_MAX_RINGS	8

struct rig {
	struct xenbus_device xbdev;
	struct xenvbd vbd;
	struct xenvbd_ring *rings[RIG_MAX_RINGS];
	/* Times that the vbd's work item was queued. */
	unsigned long nr_works;
	/* Times that requests were to be looked after, and after what time. */
	unsigned long nr_watches;
	unsigned long watch_delay;
};

extern struct rig rig;

/* A vbd without rings, all fakes new. */
void rig_init(void);
/* The same, with sectors of 512 bytes on a disk of larger blocks. */
void rig_emulate(unsigned int block_size);
/* One more ring; 0 or what the driver returned, and then there is none. */
int rig_add_ring(unsigned int pages, bool persistent);
/* The last ring goes; with its thread, if it has one. */
void rig_drop_ring(void);
/* All of these at once; the test fails if that is not possible. */
struct xenvbd_ring *rig_up(unsigned int nr_rings, unsigned int pages,
			   bool persistent);
/* Everything goes, and everything was given back. */
void rig_down(void);

/* ---- requests without a guest ------------------------------------------- */

/*
 * A request as it is after its checks: whole pages from @gref on, or none for 0
 * segments.
 */
struct xenvbd_req *rig_req(struct xenvbd_ring *ring, u8 op, u64 sector,
			   unsigned int nr_segs, grant_ref_t gref);
/* Back to the free ones. */
void rig_req_put(struct xenvbd_req *req);
/* Number of those in wake.done, which are forgotten. */
unsigned int rig_take_done(struct xenvbd_ring *ring);

/* ---- the guest ---------------------------------------------------------- */

struct guest_req {
	u8 op;
	u64 id;
	u64 sector;
	/* Pages of @gref, @gref + 1, ... */
	unsigned int nr_segs;
	grant_ref_t gref;
	/* Of each segment; 0, 0 means 0, 7. */
	u8 first_sect, last_sect;
	/* Segments in the page of this grant. */
	grant_ref_t desc;
	/* Of a discard. */
	u64 nr_sects;
	u8 flags;
};

/* Write a request behind the others. Not shown to the backend yet. */
void guest_put(struct xenvbd_ring *ring, const struct guest_req *req);
/* Show all of them. True if the backend wants an event for that. */
bool guest_push(struct xenvbd_ring *ring);
/* Both. */
void guest_send(struct xenvbd_ring *ring, const struct guest_req *req);
/* Take a response. False if there is none. */
bool guest_get(struct xenvbd_ring *ring, u64 *id, s16 *status);
/* The next response is this one. */
void guest_expect(struct xenvbd_ring *ring, u64 id, s16 status);
/* There is no further response. */
void guest_expect_none(struct xenvbd_ring *ring);
struct xenvbd_sring_page *guest_sring(struct xenvbd_ring *ring);

/* Write a pattern to pages from @gref on. */
void guest_fill(grant_ref_t gref, unsigned int nr, u8 seed);
u8 guest_byte(u8 seed, u64 pos);

#endif /* RIG_H */
