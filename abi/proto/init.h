/* abi/proto/init.h - init's protocol (init.def); it has no structs of its own. enum power is in kernel.h. */
#pragma once
#include "abi/proto/codes.h"
#include "abi/proto/kernel.h"
