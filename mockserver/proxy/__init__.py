"""What lets a program that has Azure's addresses written into it reach the mock unchanged: certificates, a CONNECT proxy, variables.

All of it listens on this machine only, and what needs the extra `tls` is imported when it is used.
"""
