LIBS := scheme native acpi pci base
HOST_SKIP := memory.c none.c
