holdfast_module(cli USES base crypto net inspect intake LIBS CLI11::CLI11)
