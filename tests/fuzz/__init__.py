"""Bundles broken on purpose, thousands of them, at the doors of a running service."""
