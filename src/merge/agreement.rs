//! Where the reports disagree, in words that name the reports.

use super::Part;
use crate::run::outcome::Problem;
use crate::text::escape;

/// Maximum number of reports that a sentence names by their paths.
const MOST_PATHS: usize = 3;

/// Returns the problem if the reports do not all have one value of something. `value` is the value
/// as it is compared and shown.
pub(super) fn on(what: &str, parts: &[Part], value: impl Fn(&Part) -> String) -> Option<Problem> {
    let mut groups: Vec<(String, Vec<&Part>)> = Vec::new();
    for part in parts {
        let value = value(part);
        match groups.iter_mut().find(|(known, _)| *known == value) {
            Some((_, group)) => group.push(part),
            None => groups.push((value, vec![part])),
        }
    }
    if groups.len() < 2 {
        return None;
    }
    // Stable: of equally many, the first shards come first.
    groups.sort_by_key(|(_, group)| std::cmp::Reverse(group.len()));
    let said = groups
        .iter()
        .map(|(value, group)| format!("{value} in {}", named(group)));
    let said: Vec<String> = said.collect();
    let text = format!("the reports do not agree on {what}: {}", said.join("; "));
    Some(Problem::new(text))
}

/// Names reports by their shards, and by their paths if there are few.
pub(super) fn named(parts: &[&Part]) -> String {
    let numbers: Vec<u32> = parts.iter().map(|part| part.shard.index()).collect();
    let shards = shards(&numbers);
    if parts.len() > MOST_PATHS {
        return shards;
    }
    let paths: Vec<String> = parts
        .iter()
        .map(|part| escape::name(part.path.as_os_str()))
        .collect();
    format!("{shards} ({})", paths.join(", "))
}

/// Names shards by their numbers, which must be sorted: `shard 3`, `shards 1, 3 and 5 to 9`.
pub(super) fn shards(numbers: &[u32]) -> String {
    let runs = numbers.chunk_by(|a, b| b - a <= 1);
    let mut texts: Vec<String> = Vec::new();
    for run in runs {
        match (run.first(), run.last()) {
            (Some(first), Some(last)) if last - first >= 2 => {
                texts.push(format!("{first} to {last}"));
            }
            _ => {
                let mut run = run.to_vec();
                run.dedup();
                texts.extend(run.iter().map(ToString::to_string));
            }
        }
    }
    let word = match numbers {
        [first, rest @ ..] if rest.iter().all(|other| other == first) => "shard",
        _ => "shards",
    };
    match texts.as_slice() {
        [rest @ .., last] if !rest.is_empty() => format!("{word} {} and {last}", rest.join(", ")),
        texts => format!("{word} {}", texts.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_named_by_their_numbers_and_long_runs_by_their_ends() {
        assert_eq!(shards(&[3]), "shard 3");
        assert_eq!(shards(&[3, 3]), "shard 3");
        assert_eq!(shards(&[1, 2]), "shards 1 and 2");
        assert_eq!(shards(&[1, 2, 3]), "shards 1 to 3");
        assert_eq!(shards(&[1, 3, 5, 6, 7, 9]), "shards 1, 3, 5 to 7 and 9");
        assert_eq!(shards(&[1, 2, 4]), "shards 1, 2 and 4");
    }
}
