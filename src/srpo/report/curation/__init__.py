"""A finished curation: report.md, report.html and card.md."""
