"""Random changes of training samples: one picture, its boxes and masks, a whole batch."""
