LIBS := scheme native acpi pci base
HOST_SKIP := access.c claim.c
