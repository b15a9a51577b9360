LIBS := scheme native base
HOST_SKIP := main.c
HAS_FLOATS := yes
