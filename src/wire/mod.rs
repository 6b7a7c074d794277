//! Floor 1: sans-IO framing of the protocols that rules and the raw lane read. Empty until the first framer is needed.
