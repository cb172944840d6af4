"""Search in texts: what the words of a text are, how it is cut into chunks, which chunks a filter takes, and in what order they come.

It knows no HTTP and no store: `mockserver.resource.search` brings it together with what a resource holds.
"""
