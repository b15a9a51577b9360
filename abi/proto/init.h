/* abi/proto/init.h - init's protocol (init.def). */
#pragma once
#include "abi/proto/codes.h"

enum power { POWER_OFF = 1, POWER_RESTART = 2 };
