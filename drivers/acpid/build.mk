LIBS := acpica scheme native base
HOST_SKIP := acpi.c button.c device.c line.c osl.c osl_reach.c power.c status.c
