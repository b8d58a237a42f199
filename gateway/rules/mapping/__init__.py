"""Mapping (映射): one table of rows `ours <-> theirs`, for both directions, without code."""

from gateway.rules.mapping.problems import MappingProblem, Problem
from gateway.rules.mapping.table import Mapping, parse_mapping

__all__ = ["Mapping", "MappingProblem", "Problem", "parse_mapping"]
