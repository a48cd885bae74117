"""Motion as numbers: read from BVH, AMC and CSV files, made by a body in MuJoCo, or made up."""
