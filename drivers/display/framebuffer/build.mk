LIBS := display scheme native base
HOST_SKIP := main.c
