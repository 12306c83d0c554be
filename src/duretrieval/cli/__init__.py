"""The command line: each command is parse, load, call one library function, print."""
