"""What readers decide about labels: states of slices, approval, findings set aside."""
