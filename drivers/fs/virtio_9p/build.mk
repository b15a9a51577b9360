LIBS := ninep virtio driver scheme native base
# What makes system calls beside main.c.
HOST_SKIP := job.c map.c
