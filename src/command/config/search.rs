//! What to look for, and what to leave out.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::ConfigError;
use crate::command::args::Cli;
use crate::engine;
use crate::hints;
use crate::mirror::Search;
use crate::mirror::pairing::Needed;
use crate::mirror::walk::WalkOptions;

/// Returns the globs that match by only the last component of a path.
fn anywhere(patterns: &[String]) -> Vec<String> {
    let is_name = |glob: &&String| {
        let name = glob.strip_prefix("**/");
        // Fail closed: braces and brackets may contain a separator, so that the match depends on
        // more than the last component.
        name.is_some_and(|name| !name.contains(['/', '{', '[']) && !name.contains("**"))
    };
    patterns.iter().filter(is_name).cloned().collect()
}

pub(super) fn globs(patterns: &[String]) -> Result<GlobSet, ConfigError> {
    let bad = |glob: &str, source| ConfigError::BadGlob {
        glob: glob.to_owned(),
        source,
    };
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        // Typed paths have such forms: `./old/` means `old`.
        let plain = pattern.strip_prefix("./").unwrap_or(pattern);
        let plain = plain.strip_suffix('/').unwrap_or(plain);
        if plain.is_empty() || plain.starts_with('/') {
            return Err(ConfigError::GlobMatchesNothing(pattern.clone()));
        }
        let glob = GlobBuilder::new(plain).literal_separator(true).build();
        set.add(glob.map_err(|error| bad(pattern, error))?);
    }
    set.build().map_err(|error| bad("", error))
}

pub(super) fn search(cli: &Cli, exclude: GlobSet) -> Result<Search, ConfigError> {
    Ok(Search {
        reach: WalkOptions {
            max_depth: cli.max_depth,
            follow_links: cli.follow_links,
            exclude,
            exclude_anywhere: globs(&anywhere(&cli.exclude))?,
        },
        needed: if cli.all_files {
            Needed::AllFiles
        } else {
            Needed::Artifacts
        },
        images: cli.images,
        lists: cli.lists.clone(),
        is_signature: engine::is_signature_file,
        is_control_file: hints::data::is_control_file,
    })
}
