LIBS := elf base
LDSCRIPT := personality/linux/image.ld
