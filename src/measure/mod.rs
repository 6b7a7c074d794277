//! Floor 1: what was observed: samples, histograms, seconds, and the run's two durable files.
