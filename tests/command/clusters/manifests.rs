//! The manifests of `examples/cluster/kubernetes`, as Kubernetes reads them.

use std::path::Path;

use serde_json::Value;

use super::example;
use crate::support::readers::Readers;

/// The run that the manifests name.
pub const RUN: &str = "2026-11-25";

/// A Job with its one container.
pub struct Job(pub Value);

impl Job {
    /// The Job in a file of the example.
    pub fn of(readers: &Readers, file: &str) -> Job {
        let mut manifests = read(readers, &example("kubernetes").join(file)).unwrap();
        assert_eq!(manifests.len(), 1, "{file}");
        Job(manifests.remove(0))
    }

    pub fn pod(&self) -> &Value {
        &self.0["spec"]["template"]["spec"]
    }

    pub fn container(&self) -> &Value {
        let containers = self.pod()["containers"].as_array().unwrap();
        assert_eq!(containers.len(), 1);
        &containers[0]
    }

    /// What the container's process is given.
    pub fn arguments(&self) -> Vec<&str> {
        let arguments = self.container()["args"].as_array().unwrap();
        arguments
            .iter()
            .map(|text| text.as_str().unwrap())
            .collect()
    }

    /// The value that comes after an option, each time that it is there.
    pub fn values_of(&self, option: &str) -> Vec<&str> {
        let arguments = self.arguments();
        let pairs = arguments.windows(2).filter(|pair| pair[0] == option);
        pairs.map(|pair| pair[1]).collect()
    }
}

/// The manifests of a file that is valid for every version that they are for; what is wrong with it
/// otherwise.
pub fn read(readers: &Readers, file: &Path) -> Result<Vec<Value>, String> {
    let text = readers.read("kubernetes.py", file, &[])?;
    let read: Value = serde_json::from_str(&text).unwrap();
    let versions = read["versions"].as_array().unwrap();
    assert!(versions.len() >= 9, "too few versions: {versions:?}");
    Ok(read["manifests"].as_array().unwrap().clone())
}
