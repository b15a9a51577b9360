LIBS := scheme native base
