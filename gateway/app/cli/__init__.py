"""The command line `kuayu`. Modules import what is heavy inside functions: a start is felt."""
