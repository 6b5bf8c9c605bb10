"""Products in files: out as CSV or XLSX, and back with a check first.

sheets (what a file's cells say) -> resource (what each row means) -> plan (what would change) -> write; `runs` keeps
who brought what, and `export` makes the files.
"""
