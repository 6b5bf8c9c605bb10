"""The parts of the Tryton connector (`erp/providers/tryton.py`): the wire, and one module per document."""
