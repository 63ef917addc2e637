holdfast_module(cli USES base crypto net keys audit inspect intake LIBS CLI11::CLI11)
