HOST_SKIP := serve.c
