holdfast_module(stats USES base LIBS Boost::headers)
# Results must not depend on whether the processor has a fused multiply-add, or reproducible would mean "here".
target_compile_options(holdfast_stats PRIVATE -ffp-contract=off)
