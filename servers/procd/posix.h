/* servers/procd/posix.h - requests of the posix: scheme (abi/proto/posix.def): decoded, checked, answered. */
#pragma once
#include "servers/procd/tree.h"

/* What posix:self is to all who open it. Other numbers are leader watches. */
enum { POSIX_SELF = 1 };

struct posix_call {
	uint64_t tag;
	uint32_t code;
	uint64_t word;
	struct sender sender;
	handle_t passed;                /* or HANDLE_NONE; stays the caller's */
	const void *in;                 /* the first in_here bytes of in_bytes */
	size_t in_here, in_bytes;
	size_t out_bytes;               /* room for the answer */
};

/* The number of what ref names: POSIX_SELF or a watch. NOENT, PERM, SRCH, NOMEM. */
err_t posix_open(struct tree *t, const struct sender *sender, const char *ref, size_t ref_bytes, uint64_t *id) MUST_CHECK;
/* The kernel's number for it, once it has one. */
void posix_opened(struct tree *t, uint64_t id, uint64_t number);
void posix_close(struct tree *t, uint64_t id);
/* Answers call->tag through outside->reply, now or (POSIX_WAIT, POSIX_STOPPED) later. */
void posix_serve(struct tree *t, const struct posix_call *call);
/* Whether code may be answered later. */
bool posix_may_wait(uint32_t code);
