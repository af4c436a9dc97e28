"""The OpenCL kernels, one file per stem: data of the package `tinydl.kernels_cl`."""
