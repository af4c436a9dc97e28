"""Trainings in memory and in run folders: made, resumed, opened, reproduced, reported."""
