"""Reports from the field, decided and judged again. See ``tests/witness``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from places import ROOT
from witness_reports import is_judged_again, leads_to_a_door_that_served

REPORTS = sorted((ROOT / "tests" / "witness").glob("*.json"))


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.stem)
def test_a_report_is_decided_and_judged_as_it_was(report: Path) -> None:
    seen = is_judged_again(json.loads(report.read_text()))
    assert leads_to_a_door_that_served(seen)
