LIBS := scheme partition native base
HOST_SKIP := main.c
