"""The embedded default: a synthetic visual world with known answers, and models that live in it.

world*.py draw and describe pictures and know nothing of models; train_*.py make the models;
answer.py and bench.py use them. Nothing here knows of agents, servers or SQLite.
"""
