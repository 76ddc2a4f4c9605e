"""What `mlp_core.diagnosis` concludes from: rules about layers, healthy ranges, and the fixes it suggests."""
