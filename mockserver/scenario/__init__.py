"""What users script: the file format, its matching, its templates and the engine that answers. It knows no HTTP."""
