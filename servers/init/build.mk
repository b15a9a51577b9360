LIBS := scheme native elf initfs acpi rtc base
LDSCRIPT := servers/init/init.ld
HOST_SKIP := service.c clock.c machine.c
