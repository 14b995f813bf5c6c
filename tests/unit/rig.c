// SPDX-License-Identifier: GPL-2.0-only
/* A vbd with rings, and the guest at their other end. */
#include "rig.h"

#include "data/thread.h"

struct rig rig;

/* The guest's end of each ring. */
static struct guest {
	struct blkif_sring *sring;
	u32 req_prod;
	u32 rsp_cons;
} guests[RIG_MAX_RINGS];

bool queue_work(struct workqueue_struct *wq, struct work_struct *work)
{
	shim_bug_on(wq != rig.vbd.wq || work != &rig.vbd.work);
	rig.nr_works++;
	return true;
}

bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *work,
			unsigned long delay)
{
	shim_bug_on(wq != rig.vbd.wq || work != &rig.vbd.watchdog.work);
	rig.nr_watches++;
	rig.watch_delay = delay;
	return true;
}

/* ---- the vbd ------------------------------------------------------------- */

void rig_init(void)
{
	struct xenvbd *vbd = &rig.vbd;

	fake_reset();
	memset(&rig, 0, sizeof(rig));
	rig.xbdev.dev.init_name = "vbd-7-51712";
	vbd->xbdev = &rig.xbdev;
	vbd->domid = FAKE_DOMID;
	vbd->handle = 51712;
	vbd->wq = (struct workqueue_struct *)&rig;
	vbd->rings = rig.rings;
	vbd->disk = (struct xenvbd_disk) {
		.file = (struct file *)&fake_disk,
		.bdev = &fake_disk.bdev,
		.flush = true,
		.discard = true,
		.secure = true,
		.block_size = SECTOR_SIZE,
	};
	vbd->advertised.disk = vbd->disk;
	vbd->advertised.sects = FAKE_DISK_SECTS;
	spin_lock_init(&vbd->rings_lock);
	xenvbd_turns_init(&vbd->barriers);
	xenvbd_turns_init(&vbd->rmws);
	ratelimit_state_init(&vbd->refusals, DEFAULT_RATELIMIT_INTERVAL,
			     DEFAULT_RATELIMIT_BURST);
}

static void ring_attach_disk(struct xenvbd_ring *ring)
{
	ring->bdev = &fake_disk.bdev;
	ring->limits = (struct xenvbd_limits) {
		.nr_sects = FAKE_DISK_SECTS,
		.align_sects = 1,
		.max_indirect_segs = XENVBD_MAX_SEGS,
		.barrier = true,
		.flushes = true,
		.discard = true,
		.emulate = rig.vbd.advertised.emulate,
	};
}

static void ring_free(struct xenvbd_ring *ring)
{
	xenvbd_pages_exit(ring);
	xenvbd_rmw_exit(&ring->rmw);
	if (ring->task)
		put_task_struct(ring->task);
	xenvbd_reqs_exit(ring);
	kfree(ring);
}

static int ring_init(struct xenvbd_ring *ring, unsigned int index,
		     unsigned int pages, bool persistent)
{
	size_t bytes = pages * XEN_PAGE_SIZE;
	struct guest *guest = &guests[index];
	int err;

	free(guest->sring);
	*guest = (struct guest) { .sring = aligned_alloc(XEN_PAGE_SIZE, bytes) };
	memset(guest->sring, 0, bytes);
	guest->sring->req_event = 1;
	guest->sring->rsp_event = 1;

	ring->vbd = &rig.vbd;
	ring->domid = rig.vbd.domid;
	ring->index = index;
	snprintf(ring->name, sizeof(ring->name), "7.xvda-%u", index);
	/* Until there is a thread nobody has to be woken. */
	ring->wake.owner = XENVBD_OWNER_THREAD;
	ring_attach_disk(ring);
	err = xenvbd_sring_attach(&ring->sring, guest->sring, bytes,
				  XENVBD_ABI_X86_64);
	if (!err)
		err = xenvbd_reqs_init(ring);
	if (!err)
		err = xenvbd_pages_init(ring, 1, persistent);
	if (!err && rig.vbd.advertised.emulate)
		err = xenvbd_rmw_init(&ring->rmw);
	return err;
}

int rig_add_ring(unsigned int pages, bool persistent)
{
	struct xenvbd_ring *ring = kzalloc(sizeof(*ring), GFP_KERNEL);
	int err;

	if (!ring)
		return -ENOMEM;
	err = ring_init(ring, rig.vbd.nr_rings, pages, persistent);
	if (err) {
		/* pages_init() alone makes the list that pages_exit() looks at. */
		ring_free(ring);
		return err;
	}
	rig.rings[rig.vbd.nr_rings++] = ring;
	return 0;
}

void rig_drop_ring(void)
{
	struct xenvbd_ring *ring = rig.rings[rig.vbd.nr_rings - 1];

	xenvbd_thread_drain(ring);
	xenvbd_thread_stop(ring);
	synchronize_rcu();
	ring_free(ring);
	rig.rings[--rig.vbd.nr_rings] = NULL;
}

struct xenvbd_ring *rig_up(unsigned int nr_rings, unsigned int pages,
			   bool persistent)
{
	unsigned int i;

	rig_init();
	for (i = 0; i < nr_rings; i++)
		expect(!rig_add_ring(pages, persistent), "ring %u", i);
	return rig.rings[0];
}

void rig_emulate(unsigned int block_size)
{
	rig_init();
	rig.vbd.advertised.emulate = true;
	rig.vbd.disk.block_size = block_size;
	fake_disk.bdev.logical_block_size = block_size;
	fake_disk.bdev.physical_block_size = block_size;
}

void rig_down(void)
{
	unsigned int i;

	while (rig.vbd.nr_rings)
		rig_drop_ring();
	for (i = 0; i < RIG_MAX_RINGS; i++) {
		free(guests[i].sring);
		guests[i].sring = NULL;
	}
	fake_check_clean();
}

/* ---- requests without a guest --------------------------------------------- */

struct xenvbd_req *rig_req(struct xenvbd_ring *ring, u8 op, u64 sector,
			   unsigned int nr_segs, grant_ref_t gref)
{
	struct xenvbd_req *req = ring->free;
	struct xenvbd_seg *segs;
	unsigned int i;

	expect(req, "no free request");
	ring->free = req->next;
	req->next = NULL;
	req->id = 0;
	req->op = op;
	req->flags = 0;
	req->sector = sector;
	req->nr_segs = nr_segs;
	req->nr_sects = nr_segs * XENVBD_SECTS_PER_GRANT;
	req->status = BLK_STS_OK;
	req->segs = XENVBD_SEGS_CHECKED;
	req->failed_flush = false;
	req->refused_flush = false;
	req->plain = false;
	req->start = jiffies | 1;
	if (nr_segs > XENVBD_INLINE_SEGS)
		expect(xenvbd_req_enlarge(req), "no memory");
	segs = xenvbd_req_segs(req);
	for (i = 0; i < nr_segs; i++) {
		fake_grant(gref + i);
		segs[i] = (struct xenvbd_seg) { .gref = gref + i, .last_sect = 7 };
	}
	return req;
}

void rig_req_put(struct xenvbd_req *req)
{
	req->start = 0;
	req->next = req->ring->free;
	req->ring->free = req;
}

unsigned int rig_take_done(struct xenvbd_ring *ring)
{
	struct llist_node *node = llist_del_all(&ring->wake.done);
	unsigned int nr = 0;

	for (; node; node = node->next)
		nr++;
	return nr;
}

/* ---- the guest ------------------------------------------------------------ */

struct xenvbd_sring_page *guest_sring(struct xenvbd_ring *ring)
{
	return (struct xenvbd_sring_page *)guests[ring->index].sring;
}

static void put_segs(struct blkif_request_segment *segs,
		     const struct guest_req *req)
{
	bool whole = !req->first_sect && !req->last_sect;
	unsigned int i;

	for (i = 0; i < req->nr_segs; i++)
		segs[i] = (struct blkif_request_segment) {
			.gref = req->gref + i,
			.first_sect = req->first_sect,
			.last_sect = whole ? 7 : req->last_sect,
		};
}

static void put_indirect(struct blkif_request_indirect *slot,
			 const struct guest_req *req)
{
	slot->operation = BLKIF_OP_INDIRECT;
	slot->indirect_op = req->op;
	slot->nr_segments = req->nr_segs;
	slot->id = req->id;
	slot->sector_number = req->sector;
	slot->indirect_grefs[0] = req->desc;
	if (req->nr_segs <= XENVBD_MAX_SEGS)
		put_segs((void *)fake_grant(req->desc), req);
}

static void put_discard(struct blkif_request_discard *slot,
			const struct guest_req *req)
{
	slot->operation = req->op;
	slot->flag = req->flags;
	slot->id = req->id;
	slot->sector_number = req->sector;
	slot->nr_sectors = req->nr_sects;
}

void guest_put(struct xenvbd_ring *ring, const struct guest_req *req)
{
	struct guest *guest = &guests[ring->index];
	blkif_request_t *slot =
		&guest->sring->ring[guest->req_prod++ & (ring->sring.nr_ents - 1)].req;

	memset(slot, 0, sizeof(*slot));
	if (req->desc) {
		put_indirect((void *)slot, req);
	} else if (req->op == BLKIF_OP_DISCARD) {
		put_discard((void *)slot, req);
	} else {
		slot->operation = req->op;
		slot->nr_segments = req->nr_segs;
		slot->id = req->id;
		slot->sector_number = req->sector;
		if (req->nr_segs <= BLKIF_MAX_SEGMENTS_PER_REQUEST)
			put_segs(slot->seg, req);
	}
}

bool guest_push(struct xenvbd_ring *ring)
{
	struct guest *guest = &guests[ring->index];
	u32 old = guest->sring->req_prod;

	guest->sring->req_prod = guest->req_prod;
	return guest->req_prod - guest->sring->req_event < guest->req_prod - old;
}

void guest_send(struct xenvbd_ring *ring, const struct guest_req *req)
{
	guest_put(ring, req);
	guest_push(ring);
}

bool guest_get(struct xenvbd_ring *ring, u64 *id, s16 *status)
{
	struct guest *guest = &guests[ring->index];
	blkif_response_t *slot;

	if (guest->rsp_cons == guest->sring->rsp_prod)
		return false;
	slot = &guest->sring->ring[guest->rsp_cons++ & (ring->sring.nr_ents - 1)].rsp;
	*id = slot->id;
	*status = slot->status;
	/* Wants an event for the next one. */
	guest->sring->rsp_event = guest->rsp_cons + 1;
	return true;
}

void guest_expect(struct xenvbd_ring *ring, u64 id, s16 status)
{
	s16 got_status;
	u64 got_id;

	expect(guest_get(ring, &got_id, &got_status), "request %llu", (ull)id);
	expect(got_id == id, "response to %llu, not %llu", (ull)got_id, (ull)id);
	expect(got_status == status, "request %llu: %d, not %d", (ull)id,
	       got_status, status);
}

void guest_expect_none(struct xenvbd_ring *ring)
{
	s16 status;
	u64 id;

	expect(!guest_get(ring, &id, &status), "response to %llu: %d", (ull)id,
	       status);
}

/* ---- patterns -------------------------------------------------------------- */

u8 guest_byte(u8 seed, u64 pos)
{
	return seed + pos / SECTOR_SIZE * 17 + pos % 253;
}

void guest_fill(grant_ref_t gref, unsigned int nr, u8 seed)
{
	u64 pos;

	for (pos = 0; pos < nr * XEN_PAGE_SIZE; pos++)
		fake_grant(gref + pos / XEN_PAGE_SIZE)[pos % XEN_PAGE_SIZE] =
			guest_byte(seed, pos);
}
