//! A Slurm cluster on this machine: `munged`, a controller and four nodes, without anything that
//! the machine would keep of it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::path_with;
use crate::support::{Run, is_available, is_root, wait_until};

/// What each daemon is started by: in a PID namespace of its own, and gone with the process that started it.
/// When the first process in it dies, so does everything, as when a machine loses its power.
const ALONE: [&str; 7] = [
    "setpriv",
    "--pdeathsig=KILL",
    "unshare",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
];

/// Names of the nodes.
const NODES: [&str; 4] = ["n1", "n2", "n3", "n4"];

/// A daemon with everything that it started.
struct Daemon(Child);

impl Daemon {
    fn start(directory: &Path, name: &str, program: &str, arguments: &[&str]) -> Daemon {
        let log = fs::File::create(directory.join(name).with_extension("out")).unwrap();
        let mut command = Command::new(ALONE[0]);
        command.args(&ALONE[1..]).arg(program).args(arguments);
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap());
        Daemon(command.stderr(log).spawn().unwrap())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The whole cluster; nothing of it is left when the value is gone.
pub struct Cluster {
    // In this order: the nodes, the controller, what they speak through, and the files.
    nodes: BTreeMap<String, Daemon>,
    _controller: Daemon,
    _munged: Daemon,
    directory: TempDir,
}

/// Whether Slurm is here, and what its nodes need.
pub fn slurm_is_here(test: &str) -> bool {
    let programs = ["slurmctld", "slurmd", "sbatch", "munged"];
    let is_found = |program: &&str| {
        let found = Command::new("which").arg(program).output();
        found.is_ok_and(|found| found.status.success())
    };
    let here = is_root() && programs.iter().all(is_found);
    is_available(here, "Slurm (slurmctld, slurmd, munge) and root", test)
}

impl Cluster {
    /// One whose controller has all the patience that a busy machine needs.
    pub fn start() -> Cluster {
        Cluster::start_with(300)
    }

    /// One whose controller soon gives a node up that does not answer.
    pub fn that_misses_lost_nodes() -> Cluster {
        Cluster::start_with(8)
    }

    /// Starts one that gives up a node after so many seconds.
    fn start_with(patience: u32) -> Cluster {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::create_dir_all(root.join("state")).unwrap();
        fs::create_dir_all(root.join("spool")).unwrap();
        fs::write(root.join("slurm.conf"), configuration(root, patience)).unwrap();
        let munged = start_munged(root);
        let conf = root.join("slurm.conf");
        let conf = conf.to_str().unwrap();
        let controller = Daemon::start(root, "controller", "slurmctld", &["-D", "-f", conf]);
        let nodes = NODES.map(|name| {
            let node = Daemon::start(root, name, "slurmd", &["-D", "-f", conf, "-N", name]);
            (name.to_owned(), node)
        });
        let cluster = Cluster {
            nodes: nodes.into(),
            _controller: controller,
            _munged: munged,
            directory,
        };
        wait_until("all nodes are idle", || {
            cluster.ask("sinfo", &["--noheader", "--format=%T %D"]) == "idle 4\n"
        });
        cluster
    }

    /// Lets a command speak to this cluster.
    pub fn reach(&self, command: &mut Command) {
        command
            .env("SLURM_CONF", self.directory.path().join("slurm.conf"))
            .env("PATH", path_with(&[]));
    }

    /// What one of Slurm's own programs prints.
    pub fn ask(&self, program: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(program);
        self.reach(command.args(arguments));
        Run::of(command).stdout
    }

    /// Takes a node's power away.
    pub fn kill(&mut self, node: &str) {
        drop(self.nodes.remove(node).unwrap());
    }

    /// What is known of the tasks of the last array, by their numbers.
    pub fn tasks(&self) -> BTreeMap<usize, Task> {
        let jobs = self.ask("scontrol", &["show", "job", "--oneliner"]);
        let tasks = jobs.lines().filter_map(|line| {
            let fields = line.split(' ').filter_map(|field| field.split_once('='));
            let fields: BTreeMap<_, _> = fields.collect();
            let number = fields.get("ArrayTaskId")?.parse().ok()?;
            let task = Task {
                restarts: fields["Restarts"].parse().unwrap(),
                exit: fields["ExitCode"].to_owned(),
                state: fields["JobState"].to_owned(),
                node: fields
                    .get("NodeList")
                    .copied()
                    .unwrap_or_default()
                    .to_owned(),
            };
            let id: u64 = fields["JobId"].parse().unwrap();
            Some((id, (number, task)))
        });
        // The later ones replace the earlier ones.
        tasks.collect::<BTreeMap<_, _>>().into_values().collect()
    }

    /// What the daemons say, where a test fails.
    pub fn logs(&self) -> String {
        let mut logs = String::new();
        for entry in fs::read_dir(self.directory.path()).unwrap().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "out") {
                let text = fs::read_to_string(&path).unwrap_or_default();
                writeln!(logs, "{}:\n{text}", path.display()).unwrap();
            }
        }
        logs
    }
}

/// A task of an array.
#[derive(Debug, PartialEq, Eq)]
pub struct Task {
    pub restarts: u32,
    /// Exit status and signal, as `1:0`.
    pub exit: String,
    pub state: String,
    pub node: String,
}

fn start_munged(root: &Path) -> Daemon {
    use std::os::unix::fs::PermissionsExt;
    let path = |name: &str| root.join(name);
    fs::write(path("munge.key"), [7; 64]).unwrap();
    fs::set_permissions(path("munge.key"), fs::Permissions::from_mode(0o600)).unwrap();
    let option = |option: &str, file: &str| format!("--{option}={}", path(file).display());
    let options = [
        option("socket", "munge.socket"),
        option("key-file", "munge.key"),
        option("pid-file", "munge.pid"),
        option("seed-file", "munge.seed"),
        option("log-file", "munge.log"),
    ];
    // --force: the directory above is everybody's, as temporary ones are.
    let mut arguments = vec!["--foreground", "--force"];
    arguments.extend(options.iter().map(String::as_str));
    let munged = Daemon::start(root, "munged", "munged", &arguments);
    wait_until("munged listens", || path("munge.socket").exists());
    munged
}

/// Ports that nothing listens on.
fn free_ports<const N: usize>() -> [u16; N] {
    // All at once, so that no two are the same.
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

/// The name by which Slurm knows this machine.
fn host() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    name.trim().split('.').next().unwrap().to_owned()
}

/// `slurm.conf`: nodes that all are this machine, on ports of their own, four tasks on each.
fn configuration(root: &Path, patience: u32) -> String {
    let (host, root) = (host(), PathBuf::from(root).display().to_string());
    let [controller, ports @ ..] = free_ports::<5>();
    let mut text = format!(
        "ClusterName=test\n\
         SlurmctldHost={host}(127.0.0.1)\n\
         SlurmctldPort={controller}\n\
         SlurmUser=root\n\
         SlurmdUser=root\n\
         AuthType=auth/munge\n\
         AuthInfo=socket={root}/munge.socket,cred_expire=5\n\
         CredType=cred/munge\n\
         StateSaveLocation={root}/state\n\
         SlurmdSpoolDir={root}/spool/%n\n\
         SlurmctldPidFile={root}/slurmctld.pid\n\
         SlurmdPidFile={root}/%n.pid\n\
         ProctrackType=proctrack/linuxproc\n\
         TaskPlugin=task/none\n\
         SelectType=select/cons_tres\n\
         SelectTypeParameters=CR_CPU\n\
         SwitchType=switch/none\n\
         MpiDefault=none\n\
         AccountingStorageType=accounting_storage/none\n\
         JobAcctGatherType=jobacct_gather/none\n\
         JobCompType=jobcomp/none\n\
         CommunicationParameters=NoCtldInAddrAny,NoInAddrAny\n\
         SlurmdParameters=config_overrides\n\
         SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0\n\
         SlurmdTimeout={patience}\n\
         KillWait=5\n\
         RequeueExit=2\n"
    );
    for (node, port) in NODES.iter().zip(ports) {
        let node = format!("NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port}");
        writeln!(text, "{node} CPUs=16").unwrap();
    }
    text + "PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n"
}
