"""Instant approval (秒批): versioned rules that decide a complete application at once."""

from gateway.rules.instant.fitting import Finding, findings
from gateway.rules.instant.judging import Application, Instant, Reason, ToPerson, judge
from gateway.rules.instant.naming import CAPACITY, require_inputs
from gateway.rules.instant.outcome import Issue, OutcomeImpossible, decision_document
from gateway.rules.instant.values import (
    AllIn,
    Between,
    CodeSeries,
    Condition,
    Equals,
    NotEmpty,
    OneOf,
    Result,
    RuleSet,
    ScopeClass,
)

__all__ = [
    "CAPACITY",
    "AllIn",
    "Application",
    "Between",
    "CodeSeries",
    "Condition",
    "Equals",
    "Finding",
    "Instant",
    "Issue",
    "NotEmpty",
    "OneOf",
    "OutcomeImpossible",
    "Reason",
    "Result",
    "RuleSet",
    "ScopeClass",
    "ToPerson",
    "decision_document",
    "findings",
    "judge",
    "require_inputs",
]
