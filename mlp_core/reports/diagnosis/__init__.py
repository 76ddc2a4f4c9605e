"""What `mlp_core.reports.diagnosis.diagnosis` concludes from: rules about layers, healthy ranges, and the fixes it suggests."""
