//! Floor 1: statistics on plain numbers and closures; knows no histogram, no request, no file.
