//! The program. Read first: [`forethought::cli::main`].

/// Planning and training take and give back megabytes thousands of times a second: the system's allocator would fetch them
/// from the kernel anew each time, for a third of the whole cost.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    forethought::cli::main(std::env::args_os()).into()
}
