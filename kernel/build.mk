LIBS := sched acpi boot initfs elf base
