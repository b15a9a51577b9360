/* lib/base/try.h - the shortest way out. */
#pragma once
#include "abi/error.h"

/* Leaves the function with the expression's error, if it is one: only where nothing has to be undone. */
#define TRY(expression)                            \
	do {                                       \
		err_t try_error_ = (expression);   \
		if (try_error_)                    \
			return try_error_;         \
	} while (0)
