"""Pictures from disk as numbered sets: folders, WebDataset tars and Parquet files."""
