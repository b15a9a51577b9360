/* personality/linux/futexop.c - FUTEX_WAKE_OP's arithmetic. */
#include "personality/linux/futex.h"

uint32_t futex_operate(uint32_t operation, uint32_t old, int32_t argument)
{
	switch (operation) {
	case WAKE_OP_SET:
		return (uint32_t)argument;
	case WAKE_OP_ADD:
		return old + (uint32_t)argument;
	case WAKE_OP_OR:
		return old | (uint32_t)argument;
	case WAKE_OP_ANDN:
		return old & ~(uint32_t)argument;
	default:
		return old ^ (uint32_t)argument;
	}
}

bool futex_compare(uint32_t comparison, uint32_t old, int32_t argument)
{
	switch (comparison) {
	case 0:
		return (int32_t)old == argument;
	case 1:
		return (int32_t)old != argument;
	case 2:
		return (int32_t)old < argument;
	case 3:
		return (int32_t)old <= argument;
	case 4:
		return (int32_t)old > argument;
	default:
		return (int32_t)old >= argument;
	}
}
