"""Several spaces to one."""
