LIBS := display driver scheme native base
HOST_SKIP := main.c
