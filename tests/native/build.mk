LIBS := native elf base
