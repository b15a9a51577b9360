LIBS := ethernet scheme driver native elf base
