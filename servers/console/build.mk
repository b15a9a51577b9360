LIBS := tty term scheme native base
