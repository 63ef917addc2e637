holdfast_module(data USES base crypto stats formats)
