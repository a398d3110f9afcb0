"""A decoded table for programs (slat-table-1).

In: a table, and what it was computed from. Out: a JSON document.
Guarantee: every cell of every grid is there, by the name of its column.
Trusted: no, checked against its schema by tests/unit/verifier/reports.
"""

from __future__ import annotations

import json
from typing import Any

from verifier.tables.table import Provenance, Section, Table

SCHEMA = "slat-table-1"


def render_table_json(table: Table, provenance: Provenance) -> str:
    """The document."""
    document = {
        "schema": SCHEMA,
        "table": table.name,
        "title": table.title,
        "specifications": provenance.specifications,
        "sections": [_section(section) for section in table.sections],
    }
    return json.dumps(document, indent=2) + "\n"


def _section(section: Section) -> dict[str, Any]:
    grids = {
        grid.key: [dict(zip(grid.columns, row, strict=True)) for row in grid.rows]
        for grid in section.grids
    }  # fmt: skip
    return {"title": section.title, "facts": dict(section.facts), "grids": grids, "notes": list(section.notes)}
