"""Situations written by us as records, beside the public cases; `build.py` writes them anew, byte for byte."""
