"""The kit that families are written with. It knows no socket and no family."""
