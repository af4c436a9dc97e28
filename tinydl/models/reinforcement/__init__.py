"""Agents that learn from reward."""
