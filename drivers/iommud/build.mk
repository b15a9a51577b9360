LIBS := scheme native acpi pci base
HOST_SKIP := machine.c memory.c none.c vtd.c
