# ports/acpica/build.mk - ACPICA as a library: all of it but its debugger and what only its own tools use.
SOURCES      := drivers/acpi/acpica
LEFT_OUT     := db%.c rsdump.c utprint.c utcache.c uttrack.c utuuid.c
CFLAGS_EXTRA := -Iports/acpica/include -isystem $(ROOT)/include -isystem $(ROOT)/drivers/acpi/acpica
