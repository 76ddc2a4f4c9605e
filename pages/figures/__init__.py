"""Pictures: plain data in, a plotly figure out. No tensor library, no screen, no state."""
