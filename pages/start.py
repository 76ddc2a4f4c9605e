"""The home page: what this is, and where to begin."""

from pages.ui.shell import page_header

page_header("MLP playground", "Build a multilayer perceptron, watch it learn, and break every claim of the chapter yourself.")
