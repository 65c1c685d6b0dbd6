"""What stands behind the command line: a file a command."""
