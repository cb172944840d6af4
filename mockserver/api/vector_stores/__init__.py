"""`/vector_stores`: stores, the files in them, batches of files, and search."""

from mockserver.api.vector_stores import batches as batches
from mockserver.api.vector_stores import files as files
from mockserver.api.vector_stores import search as search
from mockserver.api.vector_stores import stores as stores
