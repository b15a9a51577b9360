/* abi/error.h - err_t, the one error type; the list is error.def. */
#pragma once

typedef enum err {
	OK = 0,
#define ERR(number, name, text) ERR_##name = -(number),
#include "abi/error.def"
#undef ERR
} err_t;
