"""What is said about finished work: diagnosis, comparison, export."""
