"""Black-box durability harness: it knows the wire protocol and the data folder's file names, nothing else."""
