//! The manual page and the completion scripts, generated from the definition of the command line.

use std::io;

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::args::{Cli, EXAMPLES, EXIT_STATUS, Generate};
use super::manual::{LINES, MANY, ORDER, PAIRING, PROOF, REPORTS, REPORTS_ARE_WHOLE};

/// Environment variables and their effects.
const ENVIRONMENT: [(&str, &str); 4] = [
    ("PUBKEY", "The public key where no --key is given."),
    (
        "NO_COLOR",
        "Set to anything: no colours (https://no-color.org).",
    ),
    (
        "CLICOLOR_FORCE",
        "Set to anything but 0: colours in messages even where stderr is not a terminal. The lines on a stdout that is not a terminal stay as \
         they are.",
    ),
    ("TERM", "The kind of terminal; a dumb one gets no colours."),
];

/// Files that are read and written besides the artifacts.
const FILES: [(&str, &str); 5] = [
    (
        "spectro_public_key.pem",
        "The public key in the current directory, where neither --key nor $PUBKEY names one.",
    ),
    (
        "*.sig.bin",
        "The signatures: ECDSA P-256 over SHA-256, DER, at most 72 bytes; or as keys of other algorithms make them.",
    ),
    (
        "*.sig, *.sigstore.json, *.sigstore, *.bundle, *.cosign.bundle",
        "The same signatures in other formats: as base64, or in a bundle of at most 64 KiB.",
    ),
    ("*.zst, *.iso", "The artifacts that need a signature."),
    (
        ".verify-signatures-*.tmp",
        "A report that is being written, beside its place. One that is left over belongs to a run that was killed.",
    ),
];

/// Returns the requested text, as bytes to print.
///
/// # Errors
/// Only if writing to memory fails.
pub fn generate(what: Generate) -> io::Result<Vec<u8>> {
    match what {
        Generate::Man => manual(),
        Generate::Bash => Ok(completion(Shell::Bash)),
        Generate::Zsh => Ok(completion(Shell::Zsh)),
        Generate::Fish => Ok(completion(Shell::Fish)),
        Generate::Powershell => Ok(completion(Shell::PowerShell)),
        Generate::Elvish => Ok(completion(Shell::Elvish)),
    }
}

fn completion(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    // The scripts for bash would include hidden options, so they are removed here.
    let options = Cli::command();
    let shown = options.get_arguments().filter(|a| !a.is_hide_set());
    let command = Command::new(env!("CARGO_PKG_NAME")).disable_help_flag(true);
    clap_complete::generate(
        shell,
        &mut command.args(shown.cloned()),
        env!("CARGO_PKG_NAME"),
        &mut script,
    );
    script
}

fn manual() -> io::Result<Vec<u8>> {
    // The examples and the exit statuses have their own sections.
    let command = Cli::command().after_help("").after_long_help("");
    let source = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));
    // No date, so that builds are reproducible; an empty one would shift the other fields.
    let man = Man::new(command).section("1").date(" ").source(source);
    let man = man.manual("User Commands");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    synopsis().to_writer(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    let examples = EXAMPLES.map(|(what, command)| (command, what));
    section("WHAT IT PROVES", &PROOF).to_writer(&mut page)?;
    section("PAIRING", &PAIRING).to_writer(&mut page)?;
    section("OUTPUT", &LINES).to_writer(&mut page)?;
    paragraph(ORDER).to_writer(&mut page)?;
    section("MANY MACHINES", &MANY).to_writer(&mut page)?;
    section("REPORTS", &REPORTS).to_writer(&mut page)?;
    paragraph(REPORTS_ARE_WHOLE).to_writer(&mut page)?;
    section("EXIT STATUS", &EXIT_STATUS).to_writer(&mut page)?;
    section("ENVIRONMENT", &ENVIRONMENT).to_writer(&mut page)?;
    section("FILES", &FILES).to_writer(&mut page)?;
    section("EXAMPLES", &examples).to_writer(&mut page)?;
    section("SEE ALSO", &[("openssl-dgst(1), sha256sum(1)", "")]).to_writer(&mut page)?;
    Ok(page)
}

/// Returns the synopsis: clap's would list every option.
fn synopsis() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["SYNOPSIS"]);
    let name = env!("CARGO_PKG_NAME");
    roff.text([bold(name), roman(" [OPTIONS] [PATH]...")]);
    roff.control("br", []);
    roff.text([bold(name), roman(" --compare OLD NEW")]);
    roff
}

/// Returns a section of terms and their descriptions.
fn section(title: &str, entries: &[(&str, &str)]) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", [title]);
    for (term, text) in entries {
        roff.control("TP", []);
        roff.text([bold(*term)]);
        roff.text([roman(*text)]);
    }
    roff
}

/// Returns a paragraph that ends a section.
fn paragraph(text: &str) -> Roff {
    let mut roff = Roff::new();
    roff.control("PP", []);
    roff.text([roman(text)]);
    roff
}
