//! Kinds of the full grammar that are known but not built yet, by the choice they belong to: they are told from unknown words.
//!
//! Fields that are not built yet stand with their structure, behind `later`. When a kind is built, its line here goes.

/// The kinds of the choice `of` that are known but not built yet; `of` is the choice's name in `spec`.
pub(crate) fn later_kinds(of: &str) -> &'static [&'static str] {
    match of {
        "Workload" => &["Replay"],
        "Step" => &["WebSocket", "Sse", "Grpc"],
        "Does" => &["Narrative", "Roster", "Information"],
        "When" => &["Manual"],
        "Condition" => &["RealWorld"],
        "Inject" | "Speaks" => &["Mysql"],
        "Tls" => &["Terminate"],
        "Act" => &["Stale"],
        "Full" => &["Occupy"],
        "Flush" => &["Real"],
        "Time" => &["Recorded"],
        "Deed" => &["Declare", "Update", "Reply"],
        "Expect" => &["Ratio", "Tick"],
        "TimeMeasure" => &["Contain", "FirstUpdate", "UpdateGap", "Reply", "Rto", "Scale", "CanaryDecision"],
        "CountMeasure" => &[
            "PrematureAllClear",
            "Leaks",
            "LeaksAfterClaim",
            "LostWrites",
            "BrokenPromises",
            "FalseClaims",
            "LostJourneys",
            "BadRequests",
        ],
        _ => &[],
    }
}
