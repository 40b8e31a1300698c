//! The command line of Forethought. Read first: [`cli::main`].

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
