holdfast_module(policy USES base)
