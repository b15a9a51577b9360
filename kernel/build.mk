LIBS := acpi boot rtc initfs elf base
