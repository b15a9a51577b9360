LIBS := scheme driver native elf base
