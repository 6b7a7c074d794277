//! Floor 4: pure judgement: findings, verdicts, the timeline of an incident. No socket, no clock, no file.
//!
//! Everything here is a function of a plan, a record and a journal, so that a report made months later says the same.
//!
//! | file | answers |
//! |---|---|
//! | `finding` | what a judgement is |
//! | `window` `estimate` | which seconds, and which number they say, with its interval |
//! | `threshold` `live` | does a check hold; must the run end now? |
//! | `blocks` | did two interleaved targets differ? |
//! | `validity` | can the generator be believed? |
//! | `steady` `impact` `slo` | was it quiet before; when did users feel it; what did it cost? |
//! | `uncertainty` | how sure are those instants? |
//! | `efficacy` `reference` | did an action work; when would an alert have rung? |
//! | `recovery` | how long after a fault was healed were users back? |
//! | `score` | what of a drill's expectations was met? |
//! | `baseline` `fingerprint` | what do earlier runs say of this one; may they be compared? |
//! | `calibration` | how often does a gate cry wolf? |
//! | `search` | which rate does the target hold? |
//! | `account` | all of it, for one run |
//! | `conclusion` | in one word |
//! | `words` | numbers and subjects in words |

pub mod account;
pub mod baseline;
pub mod blocks;
pub mod calibration;
pub mod conclusion;
pub mod efficacy;
pub mod estimate;
pub mod finding;
pub mod fingerprint;
pub mod impact;
pub mod live;
pub mod recovery;
pub mod reference;
pub mod score;
pub mod search;
pub mod slo;
pub mod steady;
pub mod threshold;
pub mod uncertainty;
pub mod validity;
pub mod window;
pub mod words;

#[cfg(test)]
mod tests;
