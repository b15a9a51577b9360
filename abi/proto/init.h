/* abi/proto/init.h - init's protocol (init.def), and what a service lets init see. */
#pragma once
#include "abi/proto/codes.h"
#include "abi/types.h"

/* POWER_EVERYBODY (a flag): before the services whoever is none is asked to end, and has a moment for it. */
enum power { POWER_OFF = 1, POWER_RESTART = 2, POWER_EVERYBODY = 0x100 };

/* A page that init gives a service as handle "life"; lib/scheme keeps it. It stays the same over restarts. */
struct service_life {
	uint64_t finished;              /* requests, ever */
};

/* The notice that asks a service to end (`stop` in its manifest). */
enum { SERVICE_STOP_NOTICE = 15 };
