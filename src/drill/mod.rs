//! Floor 5: crisis drills: the pure director, and the stage that carries out what it decides.
