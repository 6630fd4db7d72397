"""What a fit costs: measured steps and jobs, and plans made of them."""
