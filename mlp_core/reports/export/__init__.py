"""A run as files: a program or notebook that repeats it, curves, weights, and the whole experiment."""

from mlp_core.reports.export.experiment import Experiment, ExperimentFile, changes_text, read_changes, read_file
from mlp_core.reports.export.files import csv_table, epochs_csv, steps_csv, weights_of
from mlp_core.reports.export.script import AMPLIFIED, STYLES, Origin, file_name, notebook_of, script_of

__all__ = [
    "AMPLIFIED",
    "STYLES",
    "Experiment",
    "ExperimentFile",
    "Origin",
    "changes_text",
    "csv_table",
    "epochs_csv",
    "file_name",
    "notebook_of",
    "read_changes",
    "read_file",
    "script_of",
    "steps_csv",
    "weights_of",
]
