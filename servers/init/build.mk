LIBS := scheme native elf initfs rtc base
HOST_SKIP := service.c clock.c
