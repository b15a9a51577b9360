LIBS := scheme native elf initfs acpi rtc base
HOST_SKIP := service.c clock.c machine.c
