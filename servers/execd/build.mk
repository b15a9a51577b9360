LIBS := scheme native elf initfs base
HOST_SKIP := uart.c
