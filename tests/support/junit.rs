//! A JUnit report as its consumers read it.

use roxmltree::{Document, Node};

/// The cases of a report.
pub struct Junit {
    pub cases: Vec<Case>,
}

/// A case: its identity, and `success`, `failure`, `error` or `skipped`.
pub struct Case {
    pub class: String,
    pub name: String,
    pub outcome: String,
}

impl Junit {
    /// Reads a report and checks that what it says of its counts is so.
    pub fn read(text: &str) -> Junit {
        let document = Document::parse(text).unwrap();
        let suites = document.root_element();
        assert_eq!(suites.tag_name().name(), "testsuites");
        let [suite] = elements(suites)[..] else {
            panic!("one suite: {text}");
        };
        let cases = elements(suite)
            .into_iter()
            .filter(|element| element.has_tag_name("testcase"));
        let junit = Junit {
            cases: cases.map(case).collect(),
        };
        for element in [suites, suite] {
            let said = ["tests", "failures", "errors", "skipped"];
            let said = said.map(|name| attribute(element, name).parse::<usize>().unwrap());
            assert_eq!(said, junit.counts());
        }
        junit
    }

    /// All cases, and those that are failures, errors and skipped.
    pub fn counts(&self) -> [usize; 4] {
        let of = |outcome| {
            self.cases
                .iter()
                .filter(|case| case.outcome == outcome)
                .count()
        };
        [self.cases.len(), of("failure"), of("error"), of("skipped")]
    }
}

fn case(element: Node<'_, '_>) -> Case {
    let inside = elements(element)
        .into_iter()
        .map(|inside| inside.tag_name().name());
    let outcomes: Vec<&str> = inside.filter(|name| *name != "properties").collect();
    assert!(outcomes.len() <= 1, "{outcomes:?}");
    Case {
        class: attribute(element, "classname").to_owned(),
        name: attribute(element, "name").to_owned(),
        outcome: outcomes.first().unwrap_or(&"success").to_string(),
    }
}

fn elements<'a, 'b>(parent: Node<'a, 'b>) -> Vec<Node<'a, 'b>> {
    parent.children().filter(Node::is_element).collect()
}

fn attribute<'a>(element: Node<'a, '_>, name: &str) -> &'a str {
    element.attribute(name).unwrap()
}
