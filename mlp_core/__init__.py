"""Multilayer perceptrons as in chapter 5 of *Dive into Deep Learning*: built, trained, measured and explained, without a screen."""
