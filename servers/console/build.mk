LIBS := tty scheme native base
