"""Networks that say what is where: boxes, anchors, matching and suppression, and the detectors."""
