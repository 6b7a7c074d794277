//! A check of a run, judged: by its own seconds, or by how a fault went; and what the generator and missing proof make of it.
//!
//! Called by `account::make`. Not here: the decision itself (`threshold`, `recovery`).

use super::super::finding::{Finding, Reason, Verdict};
use super::super::recovery::{self, Fault};
use super::super::threshold::{self, Rules};
use super::super::validity::{self, Model};
use super::super::window::{self, Stretch};
use super::super::words::advice;
use super::story::Story;
use crate::measure::record::Head;
use crate::plan::threshold::{Ground, Level, Threshold};

/// What checks are judged by.
#[derive(Clone, Copy)]
pub(super) struct Judge<'a> {
    pub(super) run: validity::Run<'a>,
    pub(super) story: Story<'a>,
    pub(super) head: &'a Head,
    pub(super) rules: Rules,
    pub(super) ended: &'a str,
    pub(super) faults: &'a [(Fault, Option<recovery::Course>)],
}

impl Judge<'_> {
    /// The fault that a check of a clock is about, and how it went.
    fn fault(&self, check: &Threshold) -> Option<(&Fault, &recovery::Course)> {
        let named = |name: &str| check.scope.phases.iter().any(|phase| phase.strip_prefix("fault:") == Some(name));
        let (fault, course) = self.faults.iter().find(|(fault, _)| named(&fault.name))?;
        Some((fault, course.as_ref()?))
    }

    /// The finding of a check.
    pub(super) fn check(&self, check: &Threshold) -> Finding {
        let (seconds, stretches): (_, &[Stretch]) = (self.run.seconds, self.run.stretches);
        if check.lean.is_some_and(|lean| lean.on != Ground::Steady) {
            return threshold::unasked(check, &self.head.steps);
        }
        let leaning = threshold::resolved(check, seconds, stretches, self.rules);
        let check = leaning.as_ref().map_or(check, |(check, _)| check);
        let decision = match &leaning {
            Some((_, Some(refused))) => refused.clone(),
            _ if check.subject.is_clock() => recovery::decide(check, self.fault(check)),
            _ => threshold::decide(check, seconds, stretches, self.rules),
        };
        let mut finding = threshold::finding(check, &decision, &self.head.steps);
        if check.abort.is_some() && self.ended.starts_with("aborted") && self.ended.contains(&check.id) {
            (finding.verdict, finding.reason) = (Verdict::Fail, Reason::Beyond);
        }
        let unproven = self.story.unproven();
        if check.scope.phases.iter().filter_map(|phase| phase.split_once(':')).any(|(_, name)| unproven.contains(&name))
        {
            (finding.verdict, finding.reason) = (Verdict::Inconclusive, Reason::NotInjected);
            advice(Reason::NotInjected).clone_into(&mut finding.next);
        }
        let all = window::pieces(seconds, stretches, &check.scope, check.after).concat();
        let spoilt = validity::spoils(&all, self.run.limits).or_else(|| {
            let ours = self.run.limits.model == Model::Open
                && validity::made_by_us(check, &decision, seconds, (stretches, self.rules));
            ours.then(|| "it fails from due and holds from sent: our lateness made the verdict".to_owned())
        });
        if let Some(why) = spoilt {
            finding.reason = Reason::Generator;
            // A hard check reads FAIL even where nothing may be concluded.
            if check.level != Level::Hard || finding.verdict != Verdict::Fail {
                finding.verdict = Verdict::Invalid;
            }
            finding.observed = format!("{}; {why}", finding.observed);
            advice(Reason::Generator).clone_into(&mut finding.next);
        }
        finding
    }
}
