LIBS := acpica scheme native base
HOST_SKIP := acpi.c button.c clock.c line.c osl.c osl_reach.c power.c status.c
