/* lib/ninep/change.h - the part of the file protocol that makes, moves and removes names. */
#pragma once
#include "lib/ninep/private.h"

/* NOTTY: no such code. */
int64_t share_call_names(struct share_job *j, struct share_call *c) NONNULL MUST_CHECK;
