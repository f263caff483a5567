"""This room of `fhir_mappings` reads radiologists' reports; its rules are the TOML files, one for each language."""

from fhir_mappings.report_text.read import ReportReading, read_report

__all__ = ["ReportReading", "read_report"]
