"""Stock: a row for each SKU and location, documents that move it, and the planner of allocations."""
