holdfast_module(cli USES base crypto net keys audit access evaluate inspect intake LIBS CLI11::CLI11)
