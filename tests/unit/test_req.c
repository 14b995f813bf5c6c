// SPDX-License-Identifier: GPL-2.0-only
/* The memory of a ring's requests. */
#include "rig.h"

static void there_is_a_request_for_each_slot(void **state)
{
	struct xenvbd_ring *ring = rig_up(1, 4, false);
	struct xenvbd_req *req;
	u32 nr = 0;

	for (req = ring->free; req; req = req->next, nr++) {
		assert_ptr_equal(req->ring, ring);
		assert_ptr_equal(req->bvec, req->inline_bvec);
		assert_ptr_equal(req->pgrant, req->inline_pgrant);
		assert_ptr_equal(req->handle, req->inline_handle);
		assert_null(req->big);
		assert_int_equal(req->start, 0);
	}
	assert_int_equal(nr, 128);
	assert_int_equal(nr, ring->sring.nr_ents);
	rig_down();
}

static void a_ring_does_without_none_of_its_memory(void **state)
{
	unsigned long nth;

	for (nth = 1; nth <= 2; nth++) {
		struct xenvbd_ring ring = { .sring.nr_ents = 32 };

		fake_reset();
		fake_fail_at(&fake_allocs, nth);
		assert_int_equal(xenvbd_reqs_init(&ring), -ENOMEM);
		xenvbd_reqs_exit(&ring);
		fake_check_clean();
	}
}

/* The arrays of a request lie behind each other, and do not overlap. */
static void check_arrays(const struct xenvbd_req *req, unsigned int nr)
{
	assert_ptr_equal(req->bvec, req->big);
	assert_ptr_equal(req->pgrant, req->bvec + nr);
	assert_ptr_equal(req->handle, req->pgrant + nr);
	/* Vectors cross no page: the hypervisor copies segments to them. */
	assert_true(xen_offset_in_page(req->bvec) + nr * sizeof(*req->bvec) <=
		    XEN_PAGE_SIZE);
}

static void write_arrays(struct xenvbd_req *req, unsigned int nr)
{
	memset(req->bvec, 0x11, nr * sizeof(*req->bvec));
	memset(req->pgrant, 0x22, nr * sizeof(*req->pgrant));
	/* Whatever is too short, the address sanitizer sees. */
	memset(req->handle, 0x33, nr * sizeof(*req->handle));
}

static void requests_grow_and_shrink(void **state)
{
	struct xenvbd_ring *ring = rig_up(1, 1, false);
	unsigned long nr_objects = fake_nr_objects;
	struct xenvbd_req *req = ring->free;
	unsigned int nr;

	for (nr = 1; nr <= XENVBD_MAX_SEGS; nr++) {
		req->nr_segs = nr;
		assert_true(xenvbd_req_enlarge(req));
		assert_int_equal(fake_nr_objects, nr_objects + 1);
		check_arrays(req, nr);
		write_arrays(req, nr);
		xenvbd_req_shrink(req);
		assert_null(req->big);
		assert_ptr_equal(req->bvec, req->inline_bvec);
		assert_int_equal(fake_nr_objects, nr_objects);
	}
	/* What did not grow does not shrink. */
	xenvbd_req_shrink(req);
	assert_ptr_equal(req->handle, req->inline_handle);
	rig_down();
}

static void one_request_finds_the_spare_memory(void **state)
{
	struct xenvbd_ring *ring = rig_up(1, 1, false);
	struct xenvbd_req *first = rig_req(ring, BLKIF_OP_READ, 0, 0, 0);
	struct xenvbd_req *second = rig_req(ring, BLKIF_OP_READ, 0, 0, 0);

	fake_fail_all(&fake_allocs);
	first->nr_segs = XENVBD_MAX_SEGS;
	second->nr_segs = 12;
	assert_true(xenvbd_req_enlarge(first));
	assert_ptr_equal(first->big, ring->spare.big);
	assert_true(ring->spare.used);
	check_arrays(first, XENVBD_MAX_SEGS);
	write_arrays(first, XENVBD_MAX_SEGS);

	assert_false(xenvbd_req_enlarge(second));
	assert_null(second->big);
	assert_ptr_equal(second->bvec, second->inline_bvec);

	xenvbd_req_shrink(first);
	assert_false(ring->spare.used);
	assert_null(first->big);
	assert_true(xenvbd_req_enlarge(second));
	assert_ptr_equal(second->big, ring->spare.big);
	xenvbd_req_shrink(second);

	/* If there is memory it is left alone. */
	fake_fail_at(&fake_allocs, 0);
	assert_true(xenvbd_req_enlarge(first));
	assert_ptr_not_equal(first->big, ring->spare.big);
	xenvbd_req_shrink(first);
	rig_down();
}

static void vectors_never_overwrite_a_segment_unread(void **state)
{
	struct xenvbd_ring *ring = rig_up(1, 1, false);
	struct xenvbd_req *req = rig_req(ring, BLKIF_OP_READ, 0, 11, 100);
	const struct xenvbd_seg *segs = xenvbd_req_segs(req);
	unsigned int i;

	for (i = 0; i < req->nr_segs; i++) {
		const struct xenvbd_seg seg = segs[i];

		assert_int_equal(seg.gref, 100 + i);
		memset(&req->bvec[i], 0xff, sizeof(req->bvec[i]));
	}
	assert_ptr_equal(segs + 11, req->bvec + 11);
	rig_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_is_a_request_for_each_slot),
		cmocka_unit_test(a_ring_does_without_none_of_its_memory),
		cmocka_unit_test(requests_grow_and_shrink),
		cmocka_unit_test(one_request_finds_the_spare_memory),
		cmocka_unit_test(vectors_never_overwrite_a_segment_unread),
	};

	return RUN(tests);
}
