LIBS := screen libvterm font tty scheme native base
HOST_SKIP := main.c worker.c
