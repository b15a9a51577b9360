LIBS := scheme native initfs base
