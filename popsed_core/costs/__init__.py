"""The cost of a fit: timings of steps and jobs, and plans based on them."""
