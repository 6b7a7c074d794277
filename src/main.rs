//! The `squall` program: everything is in the library; this only picks the allocator and ends the process.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    squall::cli::main()
}
