"""What stands behind the command line: one file per command."""
