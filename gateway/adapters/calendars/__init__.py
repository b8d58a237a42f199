"""Calendars: which days the State Council made working days."""
