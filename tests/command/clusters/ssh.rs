//! An SSH server on this machine, with keys that are made for it and nothing that is kept.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::path_with;
use crate::support::{is_available, is_root, wait_until};

/// The server; gone with the value.
pub struct Sshd {
    server: Child,
    directory: TempDir,
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Sshd {
    pub fn is_possible(test: &str) -> bool {
        let here = is_root() && Path::new("/usr/sbin/sshd").exists();
        is_available(here, "openssh-server and root", test)
    }

    pub fn start() -> Sshd {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        for key in ["host", "user"] {
            make_key(&root.join(key));
        }
        fs::copy(root.join("user.pub"), root.join("authorized")).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        fs::write(root.join("server"), server_configuration(root, port)).unwrap();
        fs::write(root.join("client"), client_configuration(root, port)).unwrap();
        let server = start(root);
        wait_until("sshd listens", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        Sshd { server, directory }
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The client that knows the machines: all are this one, but `gone` does not answer.
    pub fn client(&self) -> String {
        format!("ssh -F {}", self.path().join("client").display())
    }
}

fn make_key(path: &Path) {
    let mut command = Command::new("ssh-keygen");
    command
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(path);
    assert!(command.status().unwrap().success());
}

/// sshd with a /run of its own: it wants a directory there, which the machine may not have.
fn start(root: &Path) -> Child {
    let script = "mount -t tmpfs tmpfs /run && mkdir /run/sshd && exec /usr/sbin/sshd -D -f \"$1\"";
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig=KILL", "unshare", "--mount", "sh", "-c", script]);
    command.arg("sh").arg(root.join("server"));
    command.stdin(Stdio::null()).spawn().unwrap()
}

fn server_configuration(root: &Path, port: u16) -> String {
    let path = path_with(&[]).into_string().unwrap();
    let root = root.display();
    format!(
        "ListenAddress 127.0.0.1:{port}\n\
         HostKey {root}/host\n\
         AuthorizedKeysFile {root}/authorized\n\
         PidFile none\n\
         StrictModes no\n\
         UsePAM no\n\
         PasswordAuthentication no\n\
         PermitRootLogin prohibit-password\n\
         SetEnv PATH={path}\n"
    )
}

fn client_configuration(root: &Path, port: u16) -> String {
    let root = root.display();
    // Nothing listens on port 1.
    format!(
        "Host n1 n2\n\
         Port {port}\n\
         Host gone\n\
         Port 1\n\
         Host *\n\
         HostName 127.0.0.1\n\
         User root\n\
         IdentityFile {root}/user\n\
         IdentitiesOnly yes\n\
         BatchMode yes\n\
         StrictHostKeyChecking no\n\
         UserKnownHostsFile {root}/known\n\
         LogLevel ERROR\n"
    )
}
