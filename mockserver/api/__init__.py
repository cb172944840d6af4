"""The families of the surface: one module or package each, named like the first segment of its URLs.

A family is imported on the first request to it. It knows neither the gateway nor other families.
"""
