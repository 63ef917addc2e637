holdfast_program(holdfast SOURCES holdfast.cc USES cli intake)
