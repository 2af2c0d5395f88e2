"""Comparisons with peers and with the paper's tables, one command each.

They may use every other package; no other package may use them. `make test` leaves them out.
"""
