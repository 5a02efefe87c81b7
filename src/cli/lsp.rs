//! `dpmguard lsp`: the Language Server Protocol over standard input and output.
//!
//! One message after the other, in one thread: what an editor is shown is decided in `author::edit`. Whatever
//! is sent, the server answers it or passes it over; it ends when it is told to, or when its input does.

mod convert;
mod framing;
mod server;
mod workspace;

use std::io::BufReader;

use crate::cli::lsp::framing::Frame;
use crate::cli::lsp::server::Server;
use crate::cli::{CliError, Streams};

/// Serve an editor (Language Server Protocol over standard input and output)
#[derive(Debug, clap::Args)]
#[command(
    after_help = "An editor starts this by itself once it is set up, see docs/editors.md. It shows problems of rules, actions, \
    tables, cases, packs, models, settings and facts as you type, completes names, fields, functions and ids, says what \
    they are, leads to where they are declared, renames what a rule binds, and formats.\n\n\
    Options are set by the editor (`initializationOptions`): `{\"schemas\": false}` leaves out the keys and values that a \
    YAML language server offers from our schemas.\n\n\
    Exit codes: 0 the editor said goodbye; 1 it did not.\n\n\
    Examples:\n  dpmguard lsp            speak with an editor\n  \
    dpmguard lsp --stdio    the same; some editors say so"
)]
pub struct Args {
    /// Speak over standard input and output, which is the only way
    #[arg(long)]
    stdio: bool,
}

/// How much is read ahead: what an editor sent meanwhile is seen before problems are looked for again.
const AHEAD: usize = 1 << 16;

/// Serves until the editor says goodbye, or is gone.
///
/// # Errors
///
/// Input that cannot be read, output that cannot be written.
pub fn run(_args: &Args, streams: &mut Streams<'_>) -> Result<u8, CliError> {
    let mut reader = BufReader::with_capacity(AHEAD, &mut *streams.input);
    let mut server = Server::new(&mut *streams.out);
    loop {
        if reader.buffer().is_empty() {
            server.tell_problems()?;
        }
        match framing::read(&mut reader)? {
            Frame::End => return Ok(server.exit_code()),
            Frame::TooLarge(bytes) => server.refuse_large(bytes)?,
            Frame::Content(content) => {
                if server.handle(&content)?.is_some_and(|next| next.is_break()) {
                    return Ok(server.exit_code());
                }
            }
        }
    }
}
