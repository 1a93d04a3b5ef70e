"""Virtual hardware: real system services with pretended devices, usable from tests, the demo and the benchmarks."""
