# Recipes for people. Everything here is a plain command; `.ci/run` does not need just.

set shell := ["bash", "-euo", "pipefail", "-c"]

_default:
    @just --list --unsorted

# the main job: the midnight flag on the embedded shop
[group('run')]
drill file="scenarios/midnight_flag.ron":
    cargo run --release -- drill {{ file }}

# the pages and the picture in reports/gallery, made anew with the real tool (about six minutes)
[group('run')]
gallery:
    nice -n 10 reports/gallery/make

# everything that must hold
[group('check')]
test *filter:
    cargo test {{ filter }}

# the house rules alone
[group('check')]
house:
    cargo test --test it house::

# format, lints, documentation
[group('check')]
lint:
    .ci/run fmt clippy doc

# whole drills and the generator against analytic truth: minutes, on a quiet machine
[group('check')]
full:
    cargo test --release --test it -- --ignored full_ --test-threads 1

# CPU time per request beside wrk
[group('check')]
cpu:
    cargo build --release && benches/cpu_per_request.py

# licences, advisories, banned crates (needs cargo-deny)
[group('check')]
deny:
    cargo deny check

# what CI does; or some of its steps: `just ci fmt test`
[group('check')]
ci *steps:
    .ci/run {{ steps }}

# the library's documentation, opened
[group('read')]
doc:
    cargo doc --no-deps --open
