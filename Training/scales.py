"""The scales that a picture is painted at, by one network: forms at the coarsest, then what is finer."""
FULL, QUARTER, EIGHTH = 0, 1, 2
REDUCTIONS = (1, 4, 8)      # pixels of the full scale that are one of a scale, a side
