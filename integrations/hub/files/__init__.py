"""Rows in and out of spreadsheet programs, nothing in them believed."""
