/* tests/model/cancel.pml - requests to a server, given up while they wait, are taken, or are being copied (kernel/ipc), for SPIN.
 *
 * What it claims: every request comes to its end; an answer reaches the request that the server took, or nobody; a cancel names the request whose
 * client asked, or one that is over, never another's; nobody reads or writes the memory of a client that has gone on; and nothing is received
 * that was given up before.
 *
 * Two clients make some requests each; the second may be interrupted (it asks for a cancel, and goes when its patience is over) or killed at
 * any time. One server takes requests, copies, keeps them, answers in any order, and answers what is cancelled. The lock of the endpoint is what atomic
 * steps are; it is dropped while copying. The broken variants: a slot that is free again before its cancel was told (-DFREE_EARLY), a tag without a
 * generation (-DNO_GENERATION), a client that goes while its memory is copied (-DNO_BUSY), a request given to a receiver that is not taken
 * back from it (-DGIVEN_STAYS), a cancel asked for twice (-DASK_TWICE), and one for which no receiver is woken (-DNO_ROUSE).
 */
#define CLIENTS 2
#define SLOTS 3
#define REQUESTS 2
#define NONE 255

mtype = { idle, queued, given, taken, busy, done };

/* By client: its request. serial: which one it is, of all. */
mtype state[CLIENTS] = idle;
byte slot[CLIENTS], generation[CLIENTS], serial[CLIENTS];
bool cancel_asked[CLIENTS], is_there[CLIENTS], token[CLIENTS];
byte serials, finished;

/* By slot: who has it; its generation; whether a cancel is to be told, and of which request; which request it had last. */
byte holder[SLOTS] = NONE, slot_generation[SLOTS], asked[SLOTS], had[SLOTS];
bool is_free[SLOTS] = true, is_cancelled[SLOTS];

byte waiting;                   /* requests in the queue and cancels, which wait for a receiver */
bool is_receiving, server_token;
byte given_to = NONE;           /* the receiver was given this client's */

inline rouse()
{
	waiting++;
	if
	:: is_receiving -> server_token = true
	:: else
	fi
}

inline slot_free(s)
{
#ifndef NO_GENERATION
	slot_generation[s]++;
#endif
	is_free[s] = true
}

inline scheme_cancel(c)
{
	assert(!is_cancelled[slot[c]]);
	is_cancelled[slot[c]] = true;
	asked[slot[c]] = serial[c];
#ifdef NO_ROUSE
	waiting++
#else
	rouse()
#endif
}

inline call_finish(c)
{
	holder[slot[c]] = NONE;
#ifdef FREE_EARLY
	slot_free(slot[c]);
#else
	if
	:: !is_cancelled[slot[c]] -> slot_free(slot[c])
	:: else
	fi;
#endif
	if
	:: state[c] == queued -> waiting--
#ifndef GIVEN_STAYS
	:: state[c] == given -> given_to = NONE
#endif
	:: else
	fi;
	state[c] = done
}

inline slot_take(c)
{
	if
	:: is_free[0] -> slot[c] = 0
	:: !is_free[0] && is_free[1] -> slot[c] = 1
	:: !is_free[0] && !is_free[1] -> assert(is_free[2]); slot[c] = 2
	fi;
	is_free[slot[c]] = false;
	holder[slot[c]] = c;
	generation[c] = slot_generation[slot[c]];
	had[slot[c]] = serial[c]
}

inline call_send(c)
{
	serials++;
	serial[c] = serials;
	is_there[c] = true;
	cancel_asked[c] = false;
	slot_take(c);
	if
	:: is_receiving && waiting == 0 -> is_receiving = false; given_to = c; state[c] = given; server_token = true
	:: else -> state[c] = queued; rouse()
	fi
}

/* Processes 0 and 1. */
active [CLIENTS] proctype client()
{
	byte n;

	do
	:: n == REQUESTS -> break
	:: n < REQUESTS ->
		atomic { call_send(_pid) };
		do
		:: atomic { state[_pid] == done -> token[_pid] = false; break }
		:: atomic { state[_pid] != done && token[_pid] -> token[_pid] = false }
		:: _pid == 1 && state[_pid] != done ->
			if
			:: atomic { /* interrupted */
				if
				:: state[_pid] == queued || state[_pid] == given -> call_finish(_pid)
#ifdef ASK_TWICE
				:: state[_pid] == taken || state[_pid] == busy -> cancel_asked[_pid] = true; scheme_cancel(_pid)
#else
				:: (state[_pid] == taken || state[_pid] == busy) && !cancel_asked[_pid] -> cancel_asked[_pid] = true; scheme_cancel(_pid)
#endif
				:: else
				fi }
			:: atomic { /* killed, or out of patience */
#ifdef NO_BUSY
				true;
#else
				state[_pid] != busy;
#endif
				if
				:: state[_pid] == done
				:: else ->
					if
					:: state[_pid] == taken && !cancel_asked[_pid] -> scheme_cancel(_pid)
					:: else
					fi;
					call_finish(_pid)
				fi }
			fi
		od;
		is_there[_pid] = false;
		n++
	od;
	finished++
}

/* What the server has taken and not answered: by client, since each has one; the tag, and which request it was. */
bool is_kept[CLIENTS];
byte kept_slot[CLIENTS], kept_generation[CLIENTS], kept_serial[CLIENTS];

/* Copies from or to c, which is there as long as it is busy. */
inline copy(c)
{
	assert(is_there[c] && state[c] == busy);
	state[c] = taken
}

/* Answers what is kept of client k: nobody, if that is over. */
inline answer(k)
{
	atomic {
		is_kept[k] = false;
		c = holder[kept_slot[k]];
		if
		:: c != NONE && generation[c] == kept_generation[k] && state[c] == taken ->
			assert(serial[c] == kept_serial[k]);
			state[c] = busy
		:: else -> c = NONE
		fi
	};
	if
	:: c != NONE ->
		copy(c);
		atomic {
			if      /* (Its client may have given up just now.) */
			:: state[c] == taken && serial[c] == kept_serial[k] -> call_finish(c); token[c] = true
			:: else
			fi
		}
	:: else
	fi
}

inline take(c)
{
	assert(is_there[c] && (state[c] == queued || state[c] == given));
	state[c] = busy;
	is_kept[c] = true;
	kept_slot[c] = slot[c];
	kept_generation[c] = generation[c];
	kept_serial[c] = serial[c]
}

active proctype server()
{
	byte c, k, s;

	do
	/* An answer, now or later. */
	:: is_kept[0] -> answer(0)
	:: is_kept[1] -> answer(1)
	/* A cancel goes first. */
	:: atomic { is_cancelled[0] || is_cancelled[1] || is_cancelled[2] ->
		if
		:: is_cancelled[0] -> s = 0
		:: !is_cancelled[0] && is_cancelled[1] -> s = 1
		:: !is_cancelled[0] && !is_cancelled[1] -> s = 2
		fi;
		is_cancelled[s] = false;
		waiting--;
		assert(had[s] == asked[s]);
		if
		:: holder[s] == NONE -> slot_free(s)
		:: else
		fi;
		k = (is_kept[1] && kept_serial[1] == asked[s] -> 1 : NONE) };
		if      /* Or it takes its time: that answer comes too late. */
		:: k != NONE -> answer(1)
		:: true
		fi
	:: atomic { !is_cancelled[0] && !is_cancelled[1] && !is_cancelled[2] && state[0] == queued && !is_kept[0] -> waiting--; take(0) }; copy(0)
	:: atomic { !is_cancelled[0] && !is_cancelled[1] && !is_cancelled[2] && state[1] == queued && !is_kept[1] -> waiting--; take(1) }; copy(1)
	/* Nothing: it waits to be given something, or to be woken. What it keeps of the second's it will answer once that is cancelled. */
	:: atomic { waiting == 0 && !is_kept[0] && finished < CLIENTS -> is_receiving = true; server_token = false };
		if
		:: server_token
		:: atomic { finished == CLIENTS && !server_token -> assert(waiting == 0) }
		fi;
		atomic {
			is_receiving = false;
			c = given_to;
			given_to = NONE;
			if
			:: c != NONE -> take(c)
			:: else
			fi
		};
		if
		:: c != NONE -> copy(c)
		:: else
		fi
	:: finished == CLIENTS && waiting == 0 && !is_kept[0] && !is_kept[1] -> break
	od
}
