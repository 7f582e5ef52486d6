"""What the facts mean: findings, the most severe first. Pure."""

from __future__ import annotations

from .._core.clouds import private_link_zone
from .catalogue import catalogue
from .facts import Facts
from .finding import Finding, Severity, source_of_addresses, who
from .of_answers import of_answers, of_key
from .of_connections import of_connections
from .of_names import of_error, of_problem, of_sdk, of_view
from .of_setting import of_setting

_DISAGREE = frozenset({"SR101", "SR109", "SR110"})
"""Findings of which DNS says one thing and the doors another."""
_CONSEQUENCES = {
    "SR101": ("SR107", "SR206"),
    "SR102": ("SR305",),
    "SR103": ("SR305",),
    "SR105": ("SR305",),
    "SR106": ("SR305",),
    "SR107": ("SR206",),
    "SR109": ("SR107",),
    "SR111": ("SR305",),
    "SR202": ("SR301", "SR305"),
    "SR203": ("SR305",),
    "SR206": ("SR109", "SR110", "SR402"),
}
"""Findings that another one covers, unless they are more severe: their remedies would be no help,
or the same."""
_MANY = frozenset({"SR200", "SR203", "SR204"})
"""Findings of settings, of which each has its own remedy."""


def findings_of(facts: Facts) -> list[Finding]:
    """What is wrong, the most severe first; each id once, but for settings."""
    found = [
        *map(of_problem, facts.problems),
        *of_sdk(facts),
        *(of_error(facts.error, facts) if facts.error else ()),
        *(of_view(facts, facts.settings) if facts.settings else ()),
        *(of_setting(facts, facts.settings) if facts.settings else ()),
        *of_connections(facts),
        *(of_answers(facts, facts.route) if facts.route else ()),
        *of_key(facts),
    ]
    found.sort(key=_rank)
    first: dict[object, Finding] = {}
    for finding in found:
        first.setdefault(finding if finding.id in _MANY else finding.id, finding)
    for number, consequences in _CONSEQUENCES.items():
        for each in consequences:
            if {number, each} <= first.keys() and _rank(first[number]) <= _rank(first[each]):
                del first[each]
    return [_with_command(finding, facts) for finding in first.values()]


def _rank(finding: Finding) -> int:
    return list(Severity).index(finding.severity)


def headline_of(findings: list[Finding], facts: Facts) -> str:
    """The one sentence to read."""
    for finding in findings:
        if finding.id in _DISAGREE and finding.severity is findings[0].severity:
            said = source_of_addresses(facts) if finding.id == "SR101" else who(facts)
            return f"{said} and the service disagree: {finding.cause}"
    for finding in findings:
        if finding.severity is not Severity.INFO:
            return f"{finding.title}: {finding.cause}"
    if not facts.is_complete:
        return "Broken off; nothing was wrong so far."
    return f"Sound, and good to know: {findings[0].title}." if findings else "Sound."


def _with_command(finding: Finding, facts: Facts) -> Finding:
    """With the command of the catalogue, for the zone of this resource."""
    command = catalogue()[finding.id].command
    resource = facts.settings.resource if facts.settings else None
    if resource and resource.custom_domain and "private-dns" in command:
        zone = private_link_zone(resource.custom_domain)
        command = command.replace("privatelink.cognitiveservices.azure.com", zone)
        command = command.replace("NAME", resource.custom_domain.partition(".")[0])
    return finding._replace(command=command)
