//! Floor 6: HTTP pages and receivers for the people of a drill.
