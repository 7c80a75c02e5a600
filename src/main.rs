//! Starts logging, runs the command, sets the exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    ibid::cli::main()
}
