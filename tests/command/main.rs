//! The built command, as its users see it. One program, so that the tests are linked once.
#![allow(clippy::unwrap_used)]

mod algorithm_vectors;
mod algorithms;
mod artifacts;
mod at_once;
mod audit;
mod bars;
mod buckets;
mod clusters;
mod compare;
mod direct;
mod envelopes;
mod evidence;
mod fuse;
mod generate;
mod hints;
mod hostile_bundles;
mod html;
mod image_audit;
mod images;
mod limits;
mod lists;
mod loop_device;
mod machines;
mod machines_refused;
mod merge;
mod module;
mod named;
mod names;
mod nights;
mod oracle;
mod piped;
mod producers;
mod reports;
mod run;
mod shards;
mod slow;
mod snapshots;
mod storage;
mod streams;
#[path = "../support/mod.rs"]
mod support;
mod terminal;
mod trees;
mod vectors;
