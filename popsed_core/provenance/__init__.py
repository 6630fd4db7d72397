"""Where a result comes from: records, their tree, the crate, the code hash."""
