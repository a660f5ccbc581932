"""One file per command of `dreamplay`."""
