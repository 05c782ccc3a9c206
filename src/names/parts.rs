//! Split artifacts: which names are parts of the same whole, and whether all parts exist. Pure:
//! names in, parts out.
//!
//! FAT32 holds no file of 4 GiB, so bundles are split with split(1), 7-Zip or zarf. A part's name
//! is the whole's, a separator, and a number: digits, letters (`aa`, `ab`) or hexadecimal digits,
//! as split(1) counts them.

use std::collections::BTreeMap;

/// Separators that mark a part. One more of [`BARE`] may follow.
const MARKERS: [&[u8]; 6] = [b"_part", b".part", b"-part", b" part", b".split", b".chunk"];
/// Separators that prove nothing: other names contain them too.
const BARE: [&[u8]; 4] = [b".", b"_", b"-", b""];
/// Maximum length of a number: no split has more parts than that many digits count.
const MOST_DIGITS: usize = 12;

/// Digit systems of the numbers, each in order. FAT and old tools write capitals.
const SYSTEMS: [&[u8]; 5] = [
    b"0123456789",
    b"abcdefghijklmnopqrstuvwxyz",
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    b"0123456789abcdef",
    b"0123456789ABCDEF",
];

/// The suffix after the whole's name in the name of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Suffix<'a> {
    /// The text between the whole's name and the number.
    separator: &'a [u8],
    /// The number.
    number: &'a [u8],
    /// Whether the suffix alone proves that this is a part.
    is_marked: bool,
}

impl<'a> Suffix<'a> {
    /// Parses the text after the whole's name, if it can be a part's suffix.
    pub fn parse(rest: &'a [u8]) -> Option<Suffix<'a>> {
        marked(rest).or_else(|| bare(rest))
    }

    /// Reports whether this is certainly the suffix of a part. A bare `.aa` or `.01` may be
    /// anything, unless the first part exists too.
    pub fn is_part(&self, exists: impl Fn(&[u8]) -> bool) -> bool {
        let first = |number: Vec<u8>| exists(&[self.separator, &number].concat());
        self.is_marked || self.firsts().into_iter().any(first)
    }

    /// Returns the possible numbers of the first part of such a split.
    fn firsts(&self) -> Vec<Vec<u8>> {
        // split(1) lengthens its numbers: `aa` to `yz`, then `zaaa`.
        let lengths = [2, self.number.len()];
        let all = |digit: u8| lengths.map(|length| vec![digit; length]);
        let ones = all(b'0').map(|mut number| {
            number.pop();
            number.push(b'1');
            number
        });
        [all(b'0'), all(b'a'), all(b'A'), ones].concat()
    }
}

fn marked(rest: &[u8]) -> Option<Suffix<'_>> {
    let marker = MARKERS
        .iter()
        .find(|marker| starts_with(rest, marker))?
        .len();
    let separator = |more: &&&[u8]| {
        rest.get(marker..)
            .is_some_and(|rest| rest.starts_with(more))
    };
    let more = BARE.iter().find(separator)?.len();
    let (separator, number) = rest.split_at(marker + more);
    let is_number = is_number(number);
    let is_digits = number.iter().all(u8::is_ascii_digit);
    is_number.then_some(Suffix {
        separator,
        number,
        // `.partial` is `.part` and letters, but not a part.
        is_marked: is_digits || more > 0,
    })
}

fn bare(rest: &[u8]) -> Option<Suffix<'_>> {
    let separator = BARE.iter().find(|bare| rest.starts_with(bare))?.len();
    let (separator, number) = rest.split_at(separator);
    // A single digit means a second copy: wget names those `.1`.
    (number.len() > 1 && is_number(number)).then_some(Suffix {
        separator,
        number,
        is_marked: false,
    })
}

fn is_number(text: &[u8]) -> bool {
    let is_written_in = |digits: &&[u8]| text.iter().all(|digit| digits.contains(digit));
    // A single letter proves too little.
    let is_letter = text.len() == 1 && !text[0].is_ascii_digit();
    (1..=MOST_DIGITS).contains(&text.len()) && !is_letter && SYSTEMS.iter().any(is_written_in)
}

fn starts_with(text: &[u8], beginning: &[u8]) -> bool {
    let begin = text.get(..beginning.len());
    begin.is_some_and(|begin| begin.eq_ignore_ascii_case(beginning))
}

/// The existing parts of one whole.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Parts<T> {
    /// The parts, in order.
    pub present: Vec<T>,
    /// The suffix of the first part missing between two others, or before all of them.
    pub missing: Option<Vec<u8>>,
}

/// Orders the parts of one whole: `names` contains the text after the whole's name, each with a
/// value that identifies the part.
///
/// Of several splits of one whole, a complete one takes precedence; among equals, the first
/// bytewise by separator. `None` if no name is a part's.
pub fn collect<'a, T>(names: impl IntoIterator<Item = (&'a [u8], T)>) -> Option<Parts<T>> {
    let mut splits: BTreeMap<&[u8], Vec<(Suffix<'a>, T)>> = BTreeMap::new();
    for (rest, of) in names {
        if let Some(suffix) = Suffix::parse(rest) {
            splits
                .entry(suffix.separator)
                .or_default()
                .push((suffix, of));
        }
    }
    let splits = splits
        .into_iter()
        .filter_map(|(separator, split)| in_order(separator, split));
    // The first of the best: `min_by_key` returns the first of equals.
    splits.min_by_key(|parts| parts.missing.is_some())
}

fn in_order<T>(separator: &[u8], mut split: Vec<(Suffix<'_>, T)>) -> Option<Parts<T>> {
    // Shorter numbers come first: split(1) counts `89`, `9000`; others count `9`, `10`.
    split.sort_by_key(|(suffix, _)| (suffix.number.len(), suffix.number));
    let numbers: Vec<&[u8]> = split.iter().map(|(suffix, _)| suffix.number).collect();
    let first = numbers.first()?;
    let begins = is_first(first);
    if !begins && !split.iter().any(|(suffix, _)| suffix.is_marked) {
        return None;
    }
    let gap = numbers.windows(2).find(|pair| !follows(pair[0], pair[1]));
    let missing = if begins {
        gap.map(|pair| next(pair[0]))
    } else {
        Some(before_all(first))
    };
    Some(Parts {
        present: split.into_iter().map(|(_, of)| of).collect(),
        missing: missing.map(|number| [separator, &number].concat()),
    })
}

/// Reports whether a split may begin with this number: `aa`, `AA`, `00` or `01`.
fn is_first(number: &[u8]) -> bool {
    let Some((last, before)) = number.split_last() else {
        return false;
    };
    let zeros = before.iter().all(|digit| *digit == b'0') && matches!(last, b'0' | b'1');
    let all = |first: u8| number.iter().all(|letter| *letter == first);
    zeros || all(b'a') || all(b'A')
}

/// Returns the number of the first part of a split that contains this one but no earlier one.
fn before_all(number: &[u8]) -> Vec<u8> {
    vec![digits_of(number)[0]; number.len()]
}

/// Returns the digits of the first system in which a number can be written.
fn digits_of(number: &[u8]) -> &'static [u8] {
    let is_written_in = |digits: &&&[u8]| number.iter().all(|digit| digits.contains(digit));
    SYSTEMS
        .iter()
        .find(is_written_in)
        .copied()
        .unwrap_or(SYSTEMS[0])
}

/// Reports whether `after` is the number after `before`, in any common way of counting parts.
fn follows(before: &[u8], after: &[u8]) -> bool {
    // One of two hexadecimal numbers may contain only decimal digits: `09`, `0a`.
    [digits_of(before), digits_of(after)]
        .into_iter()
        .any(|digits| {
            increment(before, digits).is_some_and(|next| next == after)
                || lengthened(before, digits).is_some_and(|next| next == after)
                || carried(before, digits).is_some_and(|next| next == after)
        })
}

fn next(number: &[u8]) -> Vec<u8> {
    let digits = digits_of(number);
    let next = increment(number, digits).or_else(|| carried(number, digits));
    next.unwrap_or_default()
}

/// Returns the next number of the same length; `None` after the last.
fn increment(number: &[u8], digits: &[u8]) -> Option<Vec<u8>> {
    let mut next = number.to_vec();
    for digit in next.iter_mut().rev() {
        let value = digits.iter().position(|known| known == digit)?;
        match digits.get(value + 1) {
            Some(more) => {
                *digit = *more;
                return Some(next);
            }
            None => *digit = digits[0],
        }
    }
    None
}

/// Returns the next number where split(1) lengthens numbers: `zaaa` after `yz`, `zzaaaa` after
/// `zyzz`, so that names stay in order.
fn lengthened(number: &[u8], digits: &[u8]) -> Option<Vec<u8>> {
    let (last, before_last) = (*digits.last()?, *digits.get(digits.len() - 2)?);
    let leading = number.iter().take_while(|digit| **digit == last).count();
    let (turn, rest) = number.get(leading..)?.split_first()?;
    let is_last_of_its_length = *turn == before_last && rest.iter().all(|digit| *digit == last);
    let lengthened = || {
        let zeros = number.len() + 2 - (leading + 1);
        [vec![last; leading + 1], vec![digits[0]; zeros]].concat()
    };
    is_last_of_its_length.then(lengthened)
}

/// Returns the next number if written without leading zeros: `10` after `9`.
fn carried(number: &[u8], digits: &[u8]) -> Option<Vec<u8>> {
    let (zero, last) = (digits.first()?, digits.last()?);
    let is_last = digits[0] == b'0' && number.iter().all(|digit| digit == last);
    is_last.then(|| [vec![b'1'], vec![*zero; number.len()]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn parts(rests: &[&'static str]) -> Option<(Vec<&'static str>, Option<String>)> {
        let names = rests.iter().map(|rest| (rest.as_bytes(), *rest));
        let parts = collect(names)?;
        let missing = parts.missing.map(|rest| String::from_utf8(rest).unwrap());
        Some((parts.present, missing))
    }

    fn whole(rests: &[&'static str]) -> Option<(Vec<&'static str>, Option<String>)> {
        Some((rests.to_vec(), None))
    }

    #[test]
    fn parts_are_put_in_order_however_they_are_counted() {
        for rests in [
            &["_part00", "_part01", "_part02"][..],
            &[".part-aa", ".part-ab"],
            &[".001", ".002", ".003"],
            &[".part000", ".part001"],
            &["aa", "ab", "ac"],
            &["00", "01"],
            &[".part1", ".part2"],
            &["_partaa", "_partab"],
            &[".aa"],
            &["-part_1"],
            &["_PART00", "_PART01"],
            &[".AA", ".AB"],
        ] {
            let shuffled: Vec<&str> = rests.iter().rev().copied().collect();
            assert_eq!(parts(&shuffled), whole(rests), "{rests:?}");
        }
        let many: Vec<&str> =
            ".part1 .part2 .part3 .part4 .part5 .part6 .part7 .part8 .part9 .part10"
                .split(' ')
                .collect();
        assert_eq!(parts(&many), whole(&many));
        let hexadecimal: Vec<&str> = ".00 .01 .02 .03 .04 .05 .06 .07 .08 .09 .0a .0b"
            .split(' ')
            .collect();
        assert_eq!(parts(&hexadecimal), whole(&hexadecimal));
    }

    #[test]
    fn a_part_that_is_missing_is_named_and_so_is_the_first() {
        let missing = |rests: &[&'static str]| parts(rests).and_then(|(_, missing)| missing);
        assert_eq!(missing(&["_part00", "_part02"]).as_deref(), Some("_part01"));
        assert_eq!(
            missing(&[".part-ac", ".part-ad"]).as_deref(),
            Some(".part-aa")
        );
        assert_eq!(missing(&[".001", ".003"]).as_deref(), Some(".002"));
        assert_eq!(missing(&["_part07"]).as_deref(), Some("_part00"));
    }

    #[test]
    fn names_that_are_not_parts_are_none() {
        for rests in [
            &[".part"][..],
            &[".partial"],
            &[".gz"],
            &[".1"],
            &[".2024", ".2025"],
            &[".sha256"],
            &["late"],
            &[".part-Aa"],
            &[".PARTIAL"],
            &[".GZ"],
            &[""],
        ] {
            assert_eq!(parts(rests), None, "{rests:?}");
        }
    }

    #[test]
    fn of_two_splits_the_complete_one_is_taken() {
        assert_eq!(
            parts(&["_part00", "_part02", ".aa", ".ab"]),
            whole(&[".aa", ".ab"])
        );
        assert_eq!(
            parts(&["_part00", "_part01", ".part00", ".part02"]),
            whole(&["_part00", "_part01"])
        );
    }

    #[test]
    fn every_split_that_split_makes_is_complete_and_in_its_order() {
        let directory = tempfile::tempdir().unwrap();
        for options in [
            &["-b1"][..],
            &["-b1", "-d"],
            &["-b1", "-x"],
            &["-b1", "-a", "3"],
            &["-b1", "-a", "4", "--numeric-suffixes=1"],
        ] {
            let made = directory.path().join(options.concat());
            std::fs::create_dir(&made).unwrap();
            std::fs::write(made.join("w"), [b'x'; 1500]).unwrap();
            let split = Command::new("split")
                .args(options)
                .args(["w", "w."])
                .current_dir(&made)
                .status();
            assert!(split.unwrap().success());
            std::fs::remove_file(made.join("w")).unwrap();
            let mut names: Vec<String> = std::fs::read_dir(&made)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            // In the order in which the shell sorts them to join them again.
            names.sort();
            let collected = collect(names.iter().map(|name| (&name.as_bytes()[1..], name)));
            let parts = collected.unwrap();
            assert_eq!(parts.missing, None, "{options:?}");
            assert_eq!(
                parts.present,
                names.iter().collect::<Vec<_>>(),
                "{options:?}"
            );
        }
    }
}
