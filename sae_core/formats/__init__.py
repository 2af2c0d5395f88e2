"""Coders on disk, in our own format and in those of four other libraries."""
