//! Divides a mirror among machines: which share is whose, and what all of them must agree on.
//! Pure: takes a survey, returns a part of it.
//!
//! Every machine surveys the whole mirror and takes its own share of it, without a coordinator. A
//! merge of their reports shows whether all of them saw the same mirror.

mod assignment;
mod division;
pub mod fingerprint;
#[cfg(test)]
mod tests;

use std::fmt;

use thiserror::Error;

pub use division::{Division, METHOD, Total, divide};

/// One of several shares of a mirror.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard {
    /// Its number, from 1.
    index: u32,
    /// The number of shares.
    count: u32,
}

/// Why there is no such shard.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum ShardError {
    /// It is not two numbers with a slash between them.
    #[error("two numbers with a slash between them are needed, such as {0}")]
    NotTwoNumbers(&'static str),
    /// There are none, or too many.
    #[error("there can be 1 to {MOST_SHARDS} shards")]
    Count,
    /// The number is not one of the shards'.
    #[error("of {count} shards, the numbers are {first} to {last}")]
    Index {
        /// The number of shards.
        count: u32,
        /// The first number.
        first: u32,
        /// The last number.
        last: u32,
    },
}

/// The most shards: each costs every machine a little memory.
pub const MOST_SHARDS: u32 = 100_000;

impl Shard {
    /// Reads `K/N`, of which K counts from 1.
    ///
    /// # Errors
    /// If there is no such shard.
    pub fn parse(text: &str) -> Result<Shard, ShardError> {
        Shard::read(text, 1, "3/8")
    }

    /// Reads `I/N`, of which I counts from 0, as the indices of array jobs do.
    ///
    /// # Errors
    /// If there is no such shard.
    pub fn parse_from_zero(text: &str) -> Result<Shard, ShardError> {
        Shard::read(text, 0, "2/8")
    }

    fn read(text: &str, first: u32, example: &'static str) -> Result<Shard, ShardError> {
        // Fail closed: a sign, a blank or a third number is a mistake, and may mean another shard.
        let number = |digits: &str| {
            let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| digits.parse::<u32>().unwrap_or(u32::MAX))
        };
        let numbers = text.split_once('/');
        let numbers = numbers.and_then(|(index, count)| Some((number(index)?, number(count)?)));
        let (index, count) = numbers.ok_or(ShardError::NotTwoNumbers(example))?;
        if !(1..=MOST_SHARDS).contains(&count) {
            return Err(ShardError::Count);
        }
        let last = first + count - 1;
        if !(first..=last).contains(&index) {
            return Err(ShardError::Index { count, first, last });
        }
        let index = index + 1 - first;
        Ok(Shard { index, count })
    }

    /// Returns the shard with this number, counted from 1; `None` if there is no such shard.
    pub fn new(index: u32, count: u32) -> Option<Shard> {
        let exists = (1..=MOST_SHARDS).contains(&count) && (1..=count).contains(&index);
        exists.then_some(Shard { index, count })
    }

    /// Returns its number, from 1.
    pub fn index(self) -> u32 {
        self.index
    }

    /// Returns the number of shards.
    pub fn count(self) -> u32 {
        self.count
    }
}

/// Prints `K/N`, of which K counts from 1.
impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}
