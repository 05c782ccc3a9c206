//! Surveys the PATHs: walks them, pairs what is in each directory, and says what was left out.

use std::path::{Path, PathBuf};

use super::helpers::Helpers;
use super::links::{self, Walked};
use super::located::of_file;
use super::looked::{Look, Looked, MEMORY_OF_NAMES};
use super::seen::{MEMORY_OF_ONE_SEEN, Seen};
use super::siblings::Siblings;
use super::unchecked::{LeftOut, Place};
use super::walk::{self, Found, Problem, WalkError};
use super::watch::{Ended, Room, Watch};
use super::{Artifact, Search, State, Survey, order, saved, shown, targets};
use crate::files::SharedPath;

/// Surveys all PATHs. Artifacts found by several PATHs under the same path are listed once.
///
/// # Errors
/// If it ended early: a partly read directory proves nothing about its pairs.
pub fn survey(
    paths: &[PathBuf],
    search: &Search,
    watch: Watch<'_>,
    helpers: &Helpers,
) -> Result<Survey, Ended> {
    let mut looking = Looking {
        look: Look {
            search,
            watch,
            helpers,
        },
        room: Room::new(watch),
        // A link in one PATH may lead to a directory of another PATH.
        has_others: paths.len() > 1,
        survey: Survey::default(),
        walked: Walked::default(),
        siblings: Siblings::new(search.is_signature),
        left_out: LeftOut::new(paths, search),
    };
    let mut brought: Vec<(Vec<Artifact>, Vec<NotEntered>)> = Vec::new();
    for path in paths {
        brought.push(if path.is_dir() {
            looking.directory(path)?
        } else {
            (looking.file(path)?, Vec::new())
        });
    }
    let mut seen = Seen::default();
    for (path, (mut artifacts, not_entered)) in paths.iter().zip(brought) {
        looking.name_links(&mut artifacts, not_entered);
        if artifacts.is_empty() {
            looking.survey.empty.push(path.clone());
        }
        looking.room.borrow(size_of_val(&*artifacts))?;
        artifacts.sort_by(|a, b| order(a).cmp(&order(b)));
        if looking.has_others {
            looking.room.take(MEMORY_OF_ONE_SEEN * artifacts.len())?;
            artifacts.retain(|artifact| seen.is_new(artifact));
        }
        looking.bring(artifacts)?;
    }
    let Looking {
        mut survey,
        mut siblings,
        mut room,
        left_out,
        ..
    } = looking;
    survey.unchecked = left_out.into_unchecked();
    survey.unchecked.links = survey.links_not_entered.iter().cloned().collect();
    let artifacts = std::mem::take(&mut survey.artifacts);
    survey.artifacts = targets::share_signatures(artifacts, &mut siblings, watch, &mut room)?;
    saved::judge_by_images(&mut survey.artifacts, search);
    Ok(survey)
}

/// A survey in progress.
struct Looking<'a> {
    look: Look<'a>,
    room: Room<'a>,
    /// Whether there are several PATHs.
    has_others: bool,
    survey: Survey,
    walked: Walked,
    siblings: Siblings,
    left_out: LeftOut<'a>,
}

/// A linked directory that a walk did not enter.
struct NotEntered {
    link: PathBuf,
    shown: SharedPath,
    depth: usize,
}

impl Looking<'_> {
    /// Returns the artifacts of a directory, and the linked directories in it that were not
    /// entered.
    fn directory(&mut self, root: &Path) -> Result<(Vec<Artifact>, Vec<NotEntered>), Ended> {
        let found = walk::walk(
            root,
            &self.look.search.reach,
            self.look.watch,
            self.look.helpers,
        )?;
        self.left_out.begin(root);
        let Found {
            directories,
            problems,
            not_entered,
            other_names,
            partly,
        } = found;
        let reached = |path: &Path| SharedPath::from(shown(root, path, Path::new(".")));
        for (name, first) in &other_names {
            let names = (reached(name), reached(first));
            self.survey.other_names.push(names);
        }
        let not_entered = not_entered.into_iter().map(|(link, depth)| NotEntered {
            shown: reached(&link),
            link,
            depth,
        });
        let not_entered: Vec<NotEntered> = not_entered.collect();
        let problem = |Problem { path, error }| {
            let state = match error {
                WalkError::Unreadable(error) => State::DirectoryUnreadable(error),
                WalkError::Changed => State::DirectoryChanged,
            };
            Artifact::new(reached(&path), state)
        };
        let mut artifacts: Vec<Artifact> = problems.into_iter().map(problem).collect();
        let is_asked_for = self.has_others || !not_entered.is_empty();
        let mut read = Vec::new();
        let look = self.look;
        let into = |directory| look.into(root, directory);
        look.helpers.each(directories, into, |looked| {
            let path = self.take_in(looked?, &mut artifacts)?;
            if is_asked_for {
                self.room.grow(&mut read)?;
                read.push(path);
            }
            Ok(())
        })?;
        if is_asked_for {
            self.walked.add(root, read, partly, &self.look.search.reach);
        }
        Ok((artifacts, not_entered))
    }

    /// Takes in a directory that was looked into, and returns its path.
    fn take_in(
        &mut self,
        looked: Looked<'_>,
        artifacts: &mut Vec<Artifact>,
    ) -> Result<PathBuf, Ended> {
        let directory = &looked.directory;
        let place = Place {
            path: &looked.path,
            directory,
            holds_images: looked.holds_images,
        };
        let kept = self.left_out.take(place, &looked.entries, &looked.paired);
        self.room
            .take(looked.room.unchecked() + MEMORY_OF_NAMES * kept)?;
        let survey = &mut self.survey;
        survey.control_files |= looked.control_files;
        survey.note_key_files(directory, &looked.entries);
        survey.note_lists(directory, &looked.paired.uncovered);
        let strays = looked.paired.strays.iter();
        survey
            .strays
            .extend(strays.map(|name| directory.join(name)));
        let spare = looked.paired.spare_parts.iter();
        let spare = spare.map(|(whole, part)| (directory.join(whole), directory.join(part)));
        survey.spare_parts.extend(spare);
        let followed = looked.followed.iter();
        let followed = followed.map(|name| directory.join(name));
        survey.links_followed.extend(followed);
        for artifact in looked.artifacts {
            self.room.grow(artifacts)?;
            artifacts.push(artifact);
        }
        Ok(looked.path)
    }

    /// Returns the pairs that the file itself is part of, as data, as a part of it, or as a
    /// signature.
    fn file(&mut self, path: &Path) -> Result<Vec<Artifact>, Ended> {
        let artifacts = of_file(path, &mut self.siblings, &mut self.room)?;
        // Its siblings are looked at by their names, if at all.
        self.survey.control_files = true;
        let links = artifacts.iter().flat_map(links::names);
        let links = links.filter(|name| name.to_path_buf().is_symlink());
        self.survey.links_followed.extend(links.cloned());
        Ok(artifacts)
    }

    /// Records, for linked directories that were not entered, where their content is judged, or
    /// that it is not.
    fn name_links(&mut self, artifacts: &mut Vec<Artifact>, not_entered: Vec<NotEntered>) {
        for NotEntered { link, shown, depth } in not_entered {
            if let Some(first) = self.walked.name_of(&link, depth) {
                self.survey.other_names.push((shown, first.into()));
                continue;
            }
            self.survey.links_not_entered.push(shown.clone());
            artifacts.push(Artifact::new(shown, State::LinkNotEntered));
        }
    }

    /// Appends the artifacts of one PATH to those of the others.
    fn bring(&mut self, mut artifacts: Vec<Artifact>) -> Result<(), Ended> {
        let all = &mut self.survey.artifacts;
        if all.is_empty() {
            *all = artifacts;
            return Ok(());
        }
        self.room.borrow(2 * size_of_val(&*artifacts))?;
        let is_refused = all.try_reserve(artifacts.len()).is_err();
        all.append(&mut artifacts);
        if is_refused {
            Err(Ended::Memory)
        } else {
            Ok(())
        }
    }
}
