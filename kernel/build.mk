LIBS := acpi boot initfs elf base
