/* kernel/mem/account.h - quotas: how many pages, threads and handles a group of processes
 * may have. Accounts form a tree; a charge counts for every ancestor.
 */
#pragma once
#include "abi/error.h"
#include "abi/proto/kernel.h"
#include "kernel/obj/object.h"
#include "lib/base/attr.h"

struct account;
struct fair_account;
enum account_kind { ACCOUNT_PAGES, ACCOUNT_THREADS, ACCOUNT_HANDLES, ACCOUNT_KINDS };

/* A child of parent (NULL: no ancestor), with one reference. NOMEM. */
err_t account_create(struct account *parent, const struct account_limits *limits, struct account **out) MUST_CHECK;
/* a, which may be null. */
struct account *account_get(struct account *a);
void account_put(struct account *a);
/* NOMEM (pages), AGAIN (threads), MFILE (handles): over the limit here or above; then nothing is charged. a may be null. */
err_t account_charge(struct account *a, enum account_kind kind, uint64_t count) MUST_CHECK;
void account_uncharge(struct account *a, enum account_kind kind, uint64_t count);
void account_set(struct account *a, const struct account_limits *limits) NONNULL;
void account_info(struct account *a, struct account_info *out) NONNULL;

/* The scheduler's: what its threads share of each CPU. Borrowed; NULL: that of all without an account. */
struct fair_account *account_fair(struct account *a);
