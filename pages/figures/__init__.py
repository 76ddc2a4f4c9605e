"""Plain data in, a figure out: `figure` makes it, `axes`, `marks` and `palette` say how it looks, `series` and `pictures` what it holds."""
