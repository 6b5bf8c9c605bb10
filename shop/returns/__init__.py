"""Goods that come back, and the documents that give money back or correct it."""
