LIBS := virtio scheme native acpi pci base
HOST_SKIP := machine.c memory.c none.c virtio.c vtd.c
