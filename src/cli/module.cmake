holdfast_module(cli USES base crypto inspect intake LIBS CLI11::CLI11)
