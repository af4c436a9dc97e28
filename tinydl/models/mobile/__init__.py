"""Networks for small machines: depthwise separable convolutions."""
