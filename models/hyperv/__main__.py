"""`python -m models.hyperv` prints the report."""

from models.hyperv.report import report

print(report())
