"""Other forms of a report: a row for REDCap, a workbook for Excel, a page for a browser.

All of them are made from `engine.clinical.export.report_facts`, so that no form can say anything
that report.json does not say.
"""
