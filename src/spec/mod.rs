//! Floor 2: files as their authors wrote them. No behaviour, no defaults: `plan` is the only reader.
