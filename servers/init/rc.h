/* servers/init/rc.h - init.rc: what is started, and the sessions.
 *
 *	# a comment
 *	continue SCHEME:REF                     another such file, read once the scheme's server is ready
 *	start NAME... [mode=WORD]               services that /boot/manifest/NAME describes
 *	devices SCHEME                          for each device that SCHEME: (pci) reports, the driver whose manifest matches
 *	service NAME PROGRAM [ARGUMENT...]      one described here: the lines below it are those of a manifest (manifest.h)
 *	session NAME IMAGE PROGRAM [ARGUMENT...]        the same, for a user: told to procd, no "ready" handshake; IMAGE is
 *	                                        the personality, which gets the words after it as its arguments
 *
 * Lines below a service or session belong to it, however they are indented. A mistake loses the service in which it is, and nothing
 * else. Pure: runs on the host.
 */
#pragma once
#include "servers/init/manifest.h"

enum { RC_SERVICES_MAX = 64 };

struct rc_start {
	const char *name;
	const char *mode;               /* NULL: any */
	uint32_t line;
};

struct rc {
	const char *next_scheme, *next_ref;     /* the file to go on with; NULL: none */
	const char *devices;                    /* the scheme; NULL: none */
	uint32_t count, start_count;
	struct manifest *service[RC_SERVICES_MAX];
	struct rc_start start[RC_SERVICES_MAX];
};

/* Adds what text says to rc (zeroed at first); next_*, start and devices are this text's own. text is cut into words in place and
 * must outlive rc. told gets each mistake, with file as its file. */
void rc_parse(struct rc *rc, const char *file, char *text, size_t bytes, void (*told)(const struct words_error *e)) NONNULL;
/* Adds what came from elsewhere; rc_free frees it. What is wrong, or NULL. */
const char *rc_add(struct rc *rc, struct manifest *m) NONNULL;
void rc_free(struct rc *rc) NONNULL;
/* NULL: none. */
struct manifest *rc_find(const struct rc *rc, const char *name) NONNULL;
/* Who serves a scheme; NULL: nobody (perhaps the kernel). */
struct manifest *rc_find_scheme(const struct rc *rc, const char *scheme) NONNULL;
