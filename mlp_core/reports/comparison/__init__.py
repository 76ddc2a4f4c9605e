"""Runs beside each other and beside the book's: what differs, what may be luck."""
