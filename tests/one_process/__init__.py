"""What works where no process and no thread can be started: in a browser."""
