"""FHIR R4's own rules, read from one generated table, and checked without a network."""
