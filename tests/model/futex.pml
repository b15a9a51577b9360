/* tests/model/futex.pml - sleepers at a word, who wakes them and who moves them elsewhere (kernel/sched/futex.c), for SPIN.
 *
 * What it claims: no wake-up is lost (nobody sleeps for ever); nobody touches a thread that is gone; a list is changed under its lock only; and
 * a move with an expected value takes nobody along who went to sleep on a later one.
 *
 * Two sleepers wait for the word to become LAST; the second may be interrupted (or time out) whenever it sleeps. One thread changes the word and
 * wakes, another moves sleepers to a second list, if the word is what it read before, and wakes them there. The broken variants:
 * the word compared before one is on the list (-DCOMPARE_FIRST), a thread woken before it is off (-DWAKE_FIRST), a
 * sleeper that does not look where it is once it has the lock (-DNO_RECHECK), or that does not wait for its waker to let go
 * (-DNO_LAST_LOCK), and a move whose value is compared before it has the locks (-DCOMPARE_EARLY).
 */
#define SLEEPERS 2
#define LAST 2
#define NONE 255

byte word;

/* By list (0 is none): who holds its lock, NONE: nobody. */
byte lock[3] = NONE;

/* By sleeper: on which list it is; the list its `bucket` and its key name; the value it wants; a wake-up that came; it has ended. */
byte on[SLEEPERS], bucket[SLEEPERS], key[SLEEPERS], expected[SLEEPERS];
bool token[SLEEPERS], is_gone[SLEEPERS];

#define LOCK(l) atomic { lock[l] == NONE -> lock[l] = _pid }
#define UNLOCK(l) lock[l] = NONE
#define TAKE_OFF(i) assert(lock[on[i]] == _pid); on[i] = 0

inline thread_wake(i)
{
	assert(!is_gone[i]);
	token[i] = true
}

/* Processes 0 to SLEEPERS - 1. */
active [SLEEPERS] proctype sleeper()
{
	byte value, b;

next:	/* user space: is there anything to wait for? */
	expected[_pid] = word;
	if
	:: expected[_pid] == LAST -> goto gone
	:: else
	fi;
	/* futex_wait */
#ifdef COMPARE_FIRST
	value = word;
#endif
	key[_pid] = 1;
	LOCK(1);
	bucket[_pid] = 1;
	on[_pid] = 1;
	UNLOCK(1);
#ifndef COMPARE_FIRST
	value = word;
#endif
	if
	:: value != expected[_pid] -> goto dequeue
	:: else
	fi;
	do
	:: bucket[_pid] == 0 -> break
	:: else ->
		if      /* thread_park */
		:: token[_pid] -> token[_pid] = false
		:: _pid == 1 -> goto dequeue    /* interrupted */
		fi
	od;
dequeue:
	b = bucket[_pid];
	if
	:: b == 0 -> goto woken
	:: else
	fi;
	LOCK(b);
#ifndef NO_RECHECK
	if
	:: bucket[_pid] != b -> UNLOCK(b); goto dequeue
	:: else
	fi;
#endif
	TAKE_OFF(_pid);
	bucket[_pid] = 0;
	UNLOCK(b);
	goto next;
woken:
#ifndef NO_LAST_LOCK
	b = key[_pid];
	LOCK(b);
	UNLOCK(b);
#endif
	goto next;
gone:
	is_gone[_pid] = true
}

inline wake_all(l)
{
	LOCK(l);
	i = 0;
	do
	:: i == SLEEPERS -> break
	:: i < SLEEPERS && on[i] != l -> i++
	:: i < SLEEPERS && on[i] == l ->
		TAKE_OFF(i);
#ifdef WAKE_FIRST
		thread_wake(i);
		bucket[i] = 0;
#else
		bucket[i] = 0;
		thread_wake(i);
#endif
		i++
	od;
	UNLOCK(l)
}

active proctype setter()
{
	byte i;

	do
	:: word == LAST -> break
	:: else -> word++; wake_all(1)
	od
}

active proctype mover()
{
	byte i, seen;

	seen = word;
#ifdef COMPARE_EARLY
	if
	:: word != seen -> goto done
	:: else
	fi;
#endif
	LOCK(1);
	LOCK(2);
#ifndef COMPARE_EARLY
	if
	:: word != seen -> UNLOCK(2); UNLOCK(1); goto done
	:: else
	fi;
#endif
	i = 0;
	do
	:: i == SLEEPERS -> break
	:: i < SLEEPERS && on[i] != 1 -> i++
	:: i < SLEEPERS && on[i] == 1 ->
		assert(!is_gone[i] && expected[i] <= seen);
		key[i] = 2;
		TAKE_OFF(i);
		on[i] = 2;
		bucket[i] = 2;
		i++
	od;
	UNLOCK(2);
	UNLOCK(1);
	wake_all(2);
done:
	skip
}
