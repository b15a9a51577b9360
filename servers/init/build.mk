LIBS := scheme native elf initfs acpi rtc base
LDSCRIPT := servers/init/init.ld
# What touches handles; the rest is plain functions.
HOST_SKIP := service.c life.c namespace.c files.c post.c devices.c attach.c stop.c control.c clock.c machine.c
