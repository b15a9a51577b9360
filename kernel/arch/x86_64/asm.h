/* kernel/arch/x86_64/asm.h - what the assembly files share. */
#include "kernel/arch/x86_64/layout.h"

/* stac and clac, noted so that start-up can blank them on a CPU without SMAP. */
.macro smap_site instruction
9:	\instruction
	.pushsection .smap_sites, "a", @progbits
	.quad 9b
	.popsection
.endm

.macro function name
	.globl \name
	.type \name, @function
\name:
.endm
