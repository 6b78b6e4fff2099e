"""A result as a PDF that can be printed and passed on. The door: :func:`analyses.pdf.document.report_pdf`."""
