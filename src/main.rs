use std::io;
use std::process::ExitCode;

fn main() -> ExitCode {
    // Not locked: the console writes to the same stream.
    let status = idtriage::cli::main(std::env::args_os(), &mut io::stdout(), &mut io::stderr());
    ExitCode::from(status)
}
