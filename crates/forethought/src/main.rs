//! The command line of Forethought. Read first: [`cli::main`].

mod cli;

/// Planning and training take and give back megabytes thousands of times a second: the system's allocator would fetch them
/// from the kernel anew each time, for a third of the whole cost.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    cli::main()
}
