"""Lessons as plain data: what a lesson file may say, and what is asked of a run."""
