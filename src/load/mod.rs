//! Floor 4: the load engine. Generates what `plan` says, on time, and records what came back.
