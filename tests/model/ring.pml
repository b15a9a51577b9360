/* tests/model/ring.pml - a ring between a client and a server that sleeps (lib/ring/ring.h), for SPIN.
 *
 * What it claims: the server reads no request, and the client no reply, before it was written; no wake-up is lost (nobody waits for ever); every
 * request gets its reply; neither array is written over before it was read.
 *
 * Each side's stores go through a buffer, as CPUs have one: they become visible one by one, later. A release store waits for those before it; a plain
 * one (-DPLAIN_PUBLISH) may overtake them, and is then caught. A full fence empties the buffer; without the client's
 * (-DNO_CLIENT_FENCE) or the server's (-DNO_SERVER_FENCE), or when the server does not look once more (-DNO_LAST_LOOK), a wake-up is lost.
 * -DTOO_MANY: a client that puts more than there is room for.
 */
#define ENTRIES 2
#define REQUESTS 4
#define MASK(n) ((n) % ENTRIES)
#ifdef TOO_MANY
#define IN_FLIGHT_MAX (ENTRIES + 1)
#else
#define IN_FLIGHT_MAX ENTRIES
#endif

/* Shared memory, as everybody sees it. Entry n holds n + 1 once it is written. */
byte requests[ENTRIES], replies[ENTRIES];
byte requests_put, replies_put;
bool is_awake;

/* Stores under way: of an entry (is it, which, what) and of a word. */
bool client_entry_pending; byte client_entry_at, client_entry;
bool client_put_pending; byte client_put;
bool server_entry_pending; byte server_entry_at, server_entry;
bool server_put_pending; byte server_put;
bool server_awake_pending; bool server_awake;

/* RING_WAIT: the client's call, which the kernel delivers and which is answered. */
bool called, answered;
byte seen;
bool is_over;

/* An entry store becomes visible before the position that was released after it. */
active proctype client_buffer()
{
end:	do
	:: atomic { client_entry_pending -> requests[client_entry_at] = client_entry; client_entry_pending = false }
#ifdef PLAIN_PUBLISH
	:: atomic { client_put_pending -> requests_put = client_put; client_put_pending = false }
#else
	:: atomic { client_put_pending && !client_entry_pending -> requests_put = client_put; client_put_pending = false }
#endif
	od
}

active proctype server_buffer()
{
end:	do
	:: atomic { server_entry_pending -> replies[server_entry_at] = server_entry; server_entry_pending = false }
	:: atomic { server_put_pending && !server_entry_pending -> replies_put = server_put; server_put_pending = false }
	:: atomic { server_awake_pending -> is_awake = server_awake; server_awake_pending = false }
	od
}

/* A call of the kernel is a full fence, too. */
#define CLIENT_FENCE (!client_entry_pending && !client_put_pending)
#define SERVER_FENCE (!server_entry_pending && !server_put_pending && !server_awake_pending)

active proctype client()
{
	byte put, taken;
	bool must_call;

	do
	:: put < REQUESTS && put - taken < IN_FLIGHT_MAX ->
		/* ring_put, ring_publish. (One store of a kind is under way at a time: that is no more order than there is.) */
		atomic { !client_entry_pending -> client_entry_pending = true; client_entry_at = MASK(put); client_entry = put + 1 }
		put++;
		atomic { !client_put_pending -> client_put_pending = true; client_put = put }
	:: taken < put && replies_put != taken ->
		/* ring_take */
		assert(replies_put - taken <= ENTRIES);
		assert(replies[MASK(taken)] == taken + 1);
		taken++
	:: taken < put && replies_put == taken ->
		/* ring_wait: must the server be called? */
#ifndef NO_CLIENT_FENCE
		CLIENT_FENCE;
#endif
		must_call = !is_awake;
		if
		:: must_call ->
			/* RING_WAIT, or nothing is waited for but the reply itself: polled, then called at last. */
			CLIENT_FENCE;
			seen = taken; answered = false; called = true;
			answered
		:: !must_call ->
			replies_put != taken    /* the server is awake, and will look */
		fi
	:: taken == REQUESTS -> break
	od;
	is_over = true
}

active proctype server()
{
	byte taken, replied;
	bool waiter;

sleeping:
	/* RECEIVE */
	if
	:: called -> called = false; waiter = true
	:: is_over -> goto done
	fi;
serve:
	do
	:: requests_put != taken ->
		assert(requests_put - taken <= ENTRIES);
		assert(requests[MASK(taken)] == taken + 1);
		taken++;
		atomic { !server_entry_pending -> server_entry_pending = true; server_entry_at = MASK(replied); server_entry = replied + 1 }
		replied++;
		atomic { !server_put_pending -> server_put_pending = true; server_put = replied }
	:: requests_put == taken -> break
	od;
	if
	:: waiter && replied != seen -> SERVER_FENCE; waiter = false; answered = true
	:: else
	fi;
	/* Stay awake, or go (back) to sleep. */
	if
	:: atomic { !server_awake_pending -> server_awake_pending = true; server_awake = true };
		if
		:: requests_put != taken -> goto serve
		:: called -> called = false; waiter = true; goto serve
		:: true         /* patience is over */
		fi;
		atomic { !server_awake_pending -> server_awake_pending = true; server_awake = false };
#ifndef NO_SERVER_FENCE
		SERVER_FENCE;
#endif
#ifndef NO_LAST_LOOK
		if
		:: requests_put != taken -> goto serve
		:: else
		fi
#endif
	:: !is_awake && !server_awake_pending
	fi;
	goto sleeping;
done:
	skip
}
