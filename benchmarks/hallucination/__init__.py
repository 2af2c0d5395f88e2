"""POPE, HallusionBench and CHAIR for a profile's target: on local copies, or on toybox equivalents.

Each measures the target as it is and, where a recipe is given, with the recipe, on the same things.
"""
