"""Keras files: `load.load_keras` reads one, `kinds` says what becomes of its layers."""
