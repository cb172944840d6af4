"""The budgets of this product, measured as ratios against floors in the same run. `python -m benchmarks` prints them."""
