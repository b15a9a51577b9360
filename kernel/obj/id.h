/* kernel/obj/id.h - the numbers of processes and threads: one space, as POSIX systems have it.
 *
 * A process's pid stays taken as long as the process object lives; its first thread has the same number.
 */
#pragma once
#include <stddef.h>
#include "abi/error.h"
#include "kernel/obj/object.h"
#include "lib/base/attr.h"

enum { ID_MAX = 32768 };
enum id_kind { ID_PROCESS, ID_THREAD, ID_KINDS };

/* Gives o a number: wanted, or the next that no process or thread has when that is 0 or some other of o's kind has it. The
 * table holds no reference. AGAIN: all are taken. NOMEM. */
err_t id_add(enum id_kind kind, struct object *o, uint32_t wanted, uint32_t *out) NONNULL MUST_CHECK;
void id_remove(enum id_kind kind, uint32_t id);
/* Who has either number has the other from now on, or nobody; both were given once. */
void id_swap(enum id_kind kind, uint32_t a, uint32_t b);
/* Who has this number, with a reference; NULL: nobody. */
struct object *id_find(enum id_kind kind, uint32_t id);
/* The lowest number in use from id on; 0: none. */
uint32_t id_next(enum id_kind kind, uint32_t id);
uint32_t id_count(enum id_kind kind);
