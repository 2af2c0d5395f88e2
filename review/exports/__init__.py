"""Findings and runs as files for other programs and people: one module a format.

Each is a function from the store's documents to text or bytes; who writes them where, and whether a
file may be overwritten, is the command line's business.
"""
