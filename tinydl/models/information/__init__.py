"""What two things tell of each other: mutual information, estimated and raised."""
