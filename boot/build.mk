# What calls the firmware cannot run on the host.
HOST_SKIP := firmware.c
