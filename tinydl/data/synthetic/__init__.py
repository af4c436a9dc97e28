"""Made-up data: no file, no network, a pure function of the random numbers."""
