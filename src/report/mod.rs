//! Floor 5: renders journal and record into pages, tables and files.
