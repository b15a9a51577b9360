# ports/libvterm/build.mk - all of libvterm; its users may look inside (vterm_internal.h), for what its interface does not tell.
SOURCES      := src
LEFT_OUT     :=
CFLAGS_EXTRA := -isystem lib/shim -isystem $(ROOT)/include -isystem $(ROOT)/src
HOST_FLAGS   := -isystem $(ROOT)/include -isystem $(ROOT)/src
