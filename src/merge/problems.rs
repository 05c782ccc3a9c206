//! Why reports are not those of one whole mirror. Fail closed: each of these ends the merge without
//! a success.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use super::agreement::{self, named, shards};
use super::{Demands, Part};
use crate::module;
use crate::run::outcome::Problem;
use crate::run::{TrustedKey, VERSION};
use crate::shard::{METHOD, Total, fingerprint};
use crate::text::escape;
use crate::text::size::size;
use crate::text::time::{rfc3339, span};

/// Options that decide only how fast a run is, or how much of it is done at once, and may differ.
const ONLY_SPEED: [&str; 6] = ["io", "threads", "sha256", "stop_after", "ledger", "resume"];

/// The time from the beginning of the first run to the end of the last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) began: SystemTime,
    pub(super) ended: SystemTime,
}

impl Span {
    /// Returns the span of all runs; `None` of none.
    pub(super) fn of(parts: &[Part]) -> Option<Span> {
        Some(Span {
            began: parts.iter().map(Part::oldest).min()?,
            ended: parts.iter().map(Part::ended).max()?,
        })
    }

    pub(super) fn length(&self) -> Duration {
        self.ended.duration_since(self.began).unwrap_or_default()
    }
}

/// Returns all problems.
pub(super) fn of(parts: &[Part], span: &Span, demands: &Demands) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    problems.extend(missing(parts));
    problems.extend(doubles(parts));
    problems.extend(parts.iter().filter_map(unfinished));
    problems.extend(parts.iter().filter_map(contradicts_itself));
    problems.extend(exchanged_paths(parts));
    problems.extend(disagreements(parts));
    problems.extend(other_division(parts));
    problems.extend(too_far_apart(span, demands));
    problems.extend(other_keys(parts, demands));
    problems
}

/// Returns the number of artifacts and images that a whole merge would have.
pub(super) fn expected(parts: &[Part]) -> u64 {
    let surveyed = parts.first().map_or(0, |part| part.survey.artifacts);
    let inside = parts
        .iter()
        .map(|part| part.expected.saturating_sub(part.share.artifacts));
    inside.fold(surveyed, u64::saturating_add)
}

/// Returns the number of shards: what most reports say.
fn count(parts: &[Part]) -> u32 {
    let mut votes: BTreeMap<u32, usize> = BTreeMap::new();
    for part in parts {
        *votes.entry(part.shard.count()).or_default() += 1;
    }
    let most = votes.into_iter().max_by_key(|(_, votes)| *votes);
    most.map_or(0, |(count, _)| count)
}

fn missing(parts: &[Part]) -> Option<Problem> {
    let count = count(parts);
    let of_them = parts.iter().filter(|part| part.shard.count() == count);
    let here: BTreeSet<u32> = of_them.map(|part| part.shard.index()).collect();
    let missing: Vec<u32> = (1..=count).filter(|index| !here.contains(index)).collect();
    let (is, it) = match missing.as_slice() {
        [] => return None,
        [_] => ("is", "it"),
        _ => ("are", "them"),
    };
    let text = format!("{} of {count} {is} missing", shards(&missing));
    let help = match missing.as_slice() {
        [one] => format!(
            "run it (--shard {one}/{count}, or --shard-index {}/{count}), or find its report, and merge again",
            one - 1
        ),
        _ => format!("run {it}, or find the reports, and merge again"),
    };
    Some(Problem::new(text).help(&help))
}

fn doubles(parts: &[Part]) -> Vec<Problem> {
    let same = parts.chunk_by(|a, b| a.shard.index() == b.shard.index());
    let doubles = same.filter(|same| same.len() > 1);
    let double = |same: &[Part]| {
        let named = named(&same.iter().collect::<Vec<_>>());
        // Fail closed: which of them counts is for the user to say, even if they are equal.
        Problem::new(format!("{named}: two reports of one shard"))
            .help("keep the one that counts, and merge again")
    };
    doubles.map(double).collect()
}

/// Returns the problem if two reports give one directory as PATHs of different numbers.
///
/// Fail closed: places are compared by the number of their PATH. With PATHs exchanged, two copies
/// of a mirror would look alike, and one of them would not be read at all.
fn exchanged_paths(parts: &[Part]) -> Option<Problem> {
    let mut known: HashMap<PathBuf, (usize, &Part)> = HashMap::new();
    for part in parts {
        let directory = part.directory.clone().unwrap_or_default();
        for (number, path) in part.given.iter().enumerate() {
            let place: PathBuf = directory.join(path).components().collect();
            let (other, first) = *known.entry(place).or_insert((number, part));
            if other != number && !std::ptr::eq(first, part) {
                let both = named(&[first, part]);
                let path = escape::name(path.as_os_str());
                let text = format!("{both} do not give the PATHs in the same order: {path}");
                return Some(
                    Problem::new(text).help("run all shards with the same PATHs in one order"),
                );
            }
        }
    }
    None
}

/// Returns the problem of a run that did not come to a verdict.
fn unfinished(part: &Part) -> Option<Problem> {
    let named = named(&[part]);
    let again = "run this shard again, with the same number of shards";
    let (judged, expected) = (part.counted.records(), part.expected);
    if let Some(signal) = &part.interrupted {
        let signal = escape::message(signal);
        let text = format!("{named} was ended by {signal}: {judged} of {expected} were judged");
        return Some(Problem::new(text).help(again));
    }
    if part.exit_status < 2 && part.is_complete && part.problems.is_empty() {
        return None;
    }
    let mut why: Vec<String> = part
        .problems
        .iter()
        .map(|text| escape::message(text))
        .collect();
    if why.is_empty() {
        why.push(format!("{judged} of {expected} were judged"));
    }
    let came_to = match part.exit_status {
        1 => "failed and did not finish",
        _ => "came to no verdict",
    };
    let text = format!(
        "{named} {came_to} (exit status {}): {}",
        part.exit_status,
        why.join("; ")
    );
    Some(Problem::new(text).help(again))
}

fn contradicts_itself(part: &Part) -> Option<Problem> {
    let contradiction = part.contradiction.as_ref()?;
    let text = format!("{} does not add up: {contradiction}", named(&[part]));
    Some(Problem::new(text).help("run this shard again: its report was changed or damaged"))
}

fn disagreements(parts: &[Part]) -> Vec<Problem> {
    let fingerprints = |keys: &[TrustedKey]| {
        let keys: BTreeSet<String> = keys.iter().map(TrustedKey::identity).collect();
        keys.into_iter().collect::<Vec<_>>().join(" ")
    };
    let survey = |Total {
                      artifacts,
                      bytes,
                      sha256,
                  }: &Total| {
        let digest = sha256.to_string();
        let short = digest.get(..12).unwrap_or(&digest);
        format!("{artifacts} ({}, digest {short})", size(*bytes))
    };
    let found = [
        agreement::on("the number of shards", parts, |part| {
            part.shard.count().to_string()
        }),
        agreement::on("the program's version", parts, |part| {
            escape::message(&part.version)
        }),
        agreement::on("the cryptographic module", parts, |part| {
            escape::message(&module::words(part.module.as_ref()))
        }),
        agreement::on("the number of PATHs", parts, |part| {
            part.given.len().to_string()
        }),
        agreement::on("the trusted keys", parts, |part| fingerprints(&part.keys)),
    ];
    let mut problems: Vec<Problem> = found.into_iter().flatten().collect();
    problems.extend(options(parts));
    let help = |problem: Problem| problem.help("run the shards that differ again, like the others");
    let mut problems: Vec<Problem> = problems.into_iter().map(help).collect();
    let seen = agreement::on("what the mirror has", parts, |part| survey(&part.survey));
    problems.extend(seen.map(|problem| {
        problem.help("the mirror changed between the runs, or the PATHs are not those of one mirror: run all shards again")
    }));
    problems
}

/// Returns each option on which the reports disagree.
fn options(parts: &[Part]) -> Vec<Problem> {
    let all: Vec<Map<String, Value>> = parts.iter().map(members).collect();
    let names: BTreeSet<&String> = all.iter().flat_map(Map::keys).collect();
    let names = names.into_iter();
    let names = names.filter(|name| !ONLY_SPEED.contains(&name.as_str()));
    let option = |name: &String| {
        let of = |part: &Part| {
            let value = members(part).remove(name);
            let value = value.map_or_else(|| "none".to_owned(), |value| value.to_string());
            escape::message(&value)
        };
        // Cheap where all agree, as they should: of a thousand reports, each is looked at once.
        let first = all.first().and_then(|members| members.get(name));
        let is_one = all.iter().all(|members| members.get(name) == first);
        (!is_one).then(|| agreement::on(&format!("the option {name:?}"), parts, of))?
    };
    names.filter_map(option).collect()
}

/// Returns the options of a report, each with its value. Of the keys of images only the
/// fingerprints count: every machine may have them in files of other names.
fn members(part: &Part) -> Map<String, Value> {
    let Ok(Value::Object(mut members)) = serde_json::to_value(&part.options) else {
        return Map::new();
    };
    let images = members.get_mut("images").and_then(Value::as_object_mut);
    let keys = images.and_then(|images| images.get_mut("keys")?.as_array_mut());
    for key in keys.into_iter().flatten() {
        *key = key["fingerprint"].take();
    }
    members
}

/// Returns the problem if the shares are not those of one division, although all shards are here
/// and saw one mirror.
fn other_division(parts: &[Part]) -> Vec<Problem> {
    let help = "merge reports of one set of runs only";
    if let Some(part) = parts.iter().find(|part| part.method != METHOD) {
        let text = format!(
            "{}: divided in another way ({})",
            named(&[part]),
            escape::message(&part.method)
        );
        return vec![Problem::new(text).help(help)];
    }
    // The shares of two mirrors differ in any case.
    let survey = parts.first().map(|part| part.survey);
    if parts.iter().any(|part| Some(part.survey) != survey) {
        return Vec::new();
    }
    let divisions = agreement::on("how the mirror is divided", parts, |part| {
        part.division.to_string()
    });
    let of_all = fingerprint::of_division(parts.iter().map(|part| part.share.sha256));
    let is_whole = missing(parts).is_none() && doubles(parts).is_empty();
    // Fail closed: shares that are not all of the mirror leave a part of it out.
    let sum = |of: fn(&Total) -> u64| {
        let shares = parts.iter().map(|part| of(&part.share));
        Some(shares.fold(0, u64::saturating_add)) == survey.as_ref().map(of)
    };
    let adds_up = sum(|total| total.artifacts) && sum(|total| total.bytes);
    let is_other = |part: &&Part| part.division != of_all || !adds_up;
    match (divisions, parts.iter().find(is_other)) {
        (Some(problem), _) => vec![problem.help(help)],
        (None, Some(_)) if is_whole => {
            let text = "the shards' shares are not those of one division of the mirror";
            vec![Problem::new(text).help(help)]
        }
        _ => Vec::new(),
    }
}

fn too_far_apart(of_runs: &Span, demands: &Demands) -> Option<Problem> {
    let within = demands.within?;
    let length = of_runs.length();
    (length > within).then(|| {
        let (length, within) = (span(length), span(within));
        let text = format!("the shards ran within {length}, and --within allows {within}");
        Problem::new(text)
            .help("the mirror may have changed meanwhile: run the oldest shards again")
    })
}

/// Returns a problem for each trusted key that is not pinned, if any are.
fn other_keys(parts: &[Part], demands: &Demands) -> Vec<Problem> {
    if demands.fingerprints.is_empty() {
        return Vec::new();
    }
    let mut strange: BTreeMap<String, Vec<&Part>> = BTreeMap::new();
    for part in parts {
        for fingerprint in part.fingerprints() {
            if !demands.fingerprints.contains(&fingerprint) {
                strange
                    .entry(fingerprint.to_string())
                    .or_default()
                    .push(part);
            }
        }
    }
    let problem = |(fingerprint, parts): (String, Vec<&Part>)| {
        let text = format!(
            "{}: trusted the key {fingerprint}, which --key-fingerprint does not list",
            named(&parts)
        );
        Problem::new(text)
            .help("what that key signed counts as valid there: run them with the right key")
    };
    strange.into_iter().map(problem).collect()
}

/// Returns what differs and may differ; how far apart the runs were comes first.
pub(super) fn remarks(parts: &[Part], of_runs: &Span) -> Vec<String> {
    let hosts: BTreeSet<String> = parts
        .iter()
        .map(|part| escape::name(part.host.as_ref()))
        .collect();
    let hosts = match hosts.len() {
        1..=4 => hosts.into_iter().collect::<Vec<_>>().join(", "),
        more => format!("{more} machines"),
    };
    let began = rfc3339(of_runs.began);
    let reports = match parts.len() {
        1 => "1 shard".to_owned(),
        many => format!("{many} shards"),
    };
    let mut remarks = vec![format!(
        "{reports}, run on {hosts} within {} from {began}",
        span(of_runs.length())
    )];
    let failed: Vec<&Part> = parts
        .iter()
        .filter(|part| part.counted.failures > 0)
        .collect();
    if !failed.is_empty() && parts.len() > 1 {
        remarks.push(format!("what failed is in {}", named(&failed)));
    }
    let spelled: BTreeSet<_> = parts
        .iter()
        .map(|part| (&part.directory, &part.given))
        .collect();
    if spelled.len() > 1 {
        remarks.push(
            "the shards ran in different directories, or spell the PATHs differently; paths are shown as in the first report".to_owned(),
        );
    }
    if parts.iter().any(|part| part.version != VERSION) {
        let version = parts.first().map(|part| escape::message(&part.version));
        let version = version.unwrap_or_default();
        remarks.push(format!(
            "the shards ran version {version}, and this is {VERSION}"
        ));
    }
    remarks
}
