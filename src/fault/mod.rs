//! Floor 4: the fault proxy: pure chains of toxics, and the thin pump that moves the bytes.
