"""The data set's files: known, downloaded, verified, read, and held read-only."""
