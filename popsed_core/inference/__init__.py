"""Population inference: flow, prior, distance, fit, ensemble."""
