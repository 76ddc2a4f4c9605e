"""A class that works through a lesson together: codes, votes, results, and where they are kept."""
