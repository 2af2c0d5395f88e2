"""Sparse coders: weights, rules of selection, and the products that touch only what fired."""
