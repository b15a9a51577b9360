/* tests/native/serving.h - a test program as a server of one scheme. */
#pragma once
#include "lib/scheme/scheme.h"

static struct server server;
static struct scheme scheme;

/* The exit status. */
static int serve(const struct scheme_ops *ops)
{
	if (server_init(&server) || server_add_scheme(&server, &scheme, NULL, ops, NULL))
		return 1;
	return server_run(&server) ? 2 : 0;
}
