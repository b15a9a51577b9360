LIBS := initfs elf base
