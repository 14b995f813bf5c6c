/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who owns a ring, and who wakes its thread: the protocol of data/wake.c and of
 * ring_sleep() in blkback.c, for SPIN. Completions, an event or a kick, and the
 * end of the ring come at any moment, the end perhaps never. Checked: there is one
 * owner at a time, nothing that was noted is left while all sleep, and nobody
 * touches the ring after its thread has ended and the RCU readers are gone.
 *
 * Each statement is atomic and in order. Where that matters the code has a full
 * barrier, which Documentation/locking.rst names.
 *
 * FAULT is one of the faults that model.t puts in.
 */
#ifndef FAULT
#define FAULT	0
#endif
#define FAULT_NO_SECOND_LOOK	1	/* a completion does not look once more */
#define FAULT_NO_LAST_LOOK	2	/* the thread sleeps without a last look */
#define FAULT_NO_OWNER		3	/* a completion does not ask who owns the ring */
#define FAULT_NO_RCU		4	/* nobody waits for the readers */
#define FAULT_NO_WAKEUP		5	/* what a completion leaves wakes nobody */
#define FAULT_NO_DRAINING	6	/* a completion answers while the ring drains */
#define FAULT_THREAD_OWNS_ALL	7	/* a completion is taken for the thread */

#define FAULT_NO_BUDGET		8	/* a completion goes on with what it may not do */

#define NR_REQS	2
#define BUDGET	1

#define NONE		0
#define THREAD		1
#define COMPLETION	2

byte owner = THREAD;	/* wake.owner */
bool noted;		/* wake.event or wake.kicked */
bool draining;		/* wake.draining */
bool runnable = true;	/* the thread's state: false is TASK_IDLE */
bool stop;		/* kthread_should_stop() */
byte done;		/* requests in wake.done */
byte unanswered = NR_REQS;/* requests without an answer */
byte at_disk = NR_REQS;	/* requests that the disk has */
byte budget = 0;	/* wake.budget */
byte owners = 1;	/* how many believe to own the ring */
byte readers;		/* RCU */
bool ended, freed, noter_gone;

inline take()
{
	atomic { owners++; assert(owners == 1) }
}

inline wake_thread()
{
	assert(!freed);
	if
	:: owner == NONE -> runnable = true
	:: owner == COMPLETION && FAULT != FAULT_THREAD_OWNS_ALL -> runnable = true
	:: else
	fi
}

inline answer_all()
{
	atomic { unanswered = unanswered - done; done = 0 }
}

/* As much as the budget allows */
inline answer_some()
{
	atomic {
		do
		:: done > 0 && budget > 0 -> done--; unanswered--; budget--
		:: else -> break
		od;
		all = (done == 0)
	}
}

/* xenvbd_wake_complete() */
proctype completion()
{
	bool first, all;
	byte rounds;

	atomic { at_disk > 0 -> at_disk--; readers++ }
	assert(!freed);
	atomic { first = (done == 0); done++ }
	if
	:: first && (owner == NONE || FAULT == FAULT_NO_OWNER) -> goto answer
	:: else -> goto out
	fi;
answer:
	if
	:: atomic { owner == NONE || FAULT == FAULT_NO_OWNER -> owner = COMPLETION }
	:: atomic { owner != NONE && FAULT != FAULT_NO_OWNER -> goto out }
	fi;
	take();
	/* Each time round answers a request, or is the last. */
	atomic { rounds++; assert(rounds <= NR_REQS + 1) }
	all = true;
	if
	:: draining && FAULT != FAULT_NO_DRAINING -> all = (done == 0)
	:: else ->
		if
		:: answer_some()
		:: all = (done == 0)	/* not what a completion can answer */
		fi
	fi;
	owners--;
	assert(!freed);
	owner = NONE;
	if
	:: !all && FAULT != FAULT_NO_BUDGET ->
		if
		:: FAULT != FAULT_NO_WAKEUP -> wake_thread()
		:: else
		fi;
		goto out
	:: else
	fi;
	if
	:: done > 0 && FAULT != FAULT_NO_SECOND_LOOK -> goto answer
	:: else
	fi;
out:
	readers--
}

/* ring_must_look() */
#define MUST_LOOK	(done > 0 || noted || draining != was_draining || \
			 (was_draining && unanswered == 0 && stop))

/* xenvbd_ring_serve() */
active proctype thread()
{
	bool was_draining;

again:
	was_draining = draining;
	noted = false;
	answer_all();
	if
	:: was_draining && unanswered == 0 && stop -> goto end
	:: MUST_LOOK && !(was_draining && unanswered == 0 && stop) -> goto again
	:: else
	fi;
	/* ring_sleep() */
	budget = BUDGET;
	owners--;
	owner = NONE;
	runnable = false;
	if
	:: MUST_LOOK && FAULT != FAULT_NO_LAST_LOOK -> runnable = true
	:: else
	fi;
end_sleep:
	runnable;
	atomic { owner == NONE -> owner = THREAD };
	take();
	goto again;
end:
	ended = true
}

/* An event of the frontend, or a kick */
active proctype noter()
{
	noted = true;
	wake_thread();
	noter_gone = true
}

/* The vbd's work item: xenvbd_thread_drain(), xenvbd_thread_stop(), and the end */
active proctype work()
{
	if
	:: true
	:: goto gone
	fi;
	draining = true;
	noted = true;
	wake_thread();
	atomic { stop = true; runnable = true };
	ended;
	assert(unanswered == 0 && at_disk == 0 && done == 0);
	/* Who notes is unbound, or holds vbd->rings_lock; synchronize_rcu() */
	noter_gone;
	readers == 0 || FAULT == FAULT_NO_RCU;
	freed = true;
gone:
	skip
}

/* Nothing happens any more */
active proctype rest()
{
	timeout;
	assert(freed || (!noted && done == 0 && at_disk == 0 && unanswered == 0))
}

init
{
	byte i;

	for (i : 1 .. NR_REQS) {
		run completion()
	}
}
