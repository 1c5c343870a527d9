"""The search space as numbers: the unit cube, its enumeration, deduplication, and what is known beforehand."""
