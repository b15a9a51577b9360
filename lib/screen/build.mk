LIBS := libvterm
