/* lib/tty/serve_private.h - what serve.c and serve_call.c share with each other and nobody else. */
#pragma once
#include "abi/proto/file.h"
#include "lib/tty/serve.h"

/* serve.c: OK, ERR_BACKGROUND or ERR_IO (abi/proto/tty.def). */
err_t serve_check(struct tty_served *s, const struct scheme_request *r, enum tty_access access) MUST_CHECK;
void serve_timer_init(struct tty_served *s);

/* serve_call.c. ERR_PERM: sender is no leader, or the terminal or the session has another. */
err_t serve_acquire(struct tty_served *s, const struct sender *sender, bool steal) MUST_CHECK;
/* The terminal controls no session any more. */
void serve_forget_session(struct tty_served *s);
void serve_set_modes(struct tty_served *s, const struct tty_modes *modes, uint32_t when);
