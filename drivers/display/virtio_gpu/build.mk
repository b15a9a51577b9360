LIBS := display virtio driver scheme native base
HOST_SKIP := main.c
