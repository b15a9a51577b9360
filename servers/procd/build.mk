LIBS := scheme native elf base
