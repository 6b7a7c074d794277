//! Floor 4: pure judgement: findings, verdicts, the timeline of an incident.
