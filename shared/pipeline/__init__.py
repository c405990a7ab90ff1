"""The four stages and the intake as storage-safe steps over ports: load, call the domain, write, send."""
