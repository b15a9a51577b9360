LIBS := screen libvterm term tty scheme native base
HOST_SKIP := main.c worker.c
