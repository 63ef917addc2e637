holdfast_module(cli COLD USES base crypto formats policy data worker net keys model lab audit access
  evaluate assess registry inspect intake supply trust updates LIBS CLI11::CLI11)
