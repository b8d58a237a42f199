"""Ports kept in memory: for tests, simulation and small tools."""
