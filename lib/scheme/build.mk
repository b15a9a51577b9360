HOST_SKIP := server.c
