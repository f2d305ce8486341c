//! A child process that does not outlive its parent, whatever ends the parent.
//!
//! Asking the kernel for that (`PR_SET_PDEATHSIG`) needs unsafe code. Instead a shell stands between: it starts
//! the program and watches a pipe whose other end only this process holds. However this process goes, the pipe
//! closes, and the shell ends the program. What remains: somebody who kills the watching shells by hand.
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Starts `"$@"`, ends it when descriptor 3 (our pipe) does, and exits as it does. TERM lets Envoy flush its logs;
/// KILL is for one that hangs. The watcher's `sleep` may stay for its few seconds; it holds nothing. A Ctrl-C reaches
/// the whole group: the shell must outlive the program to call the watcher off.
const WATCH: &str = r#"
trap '' INT QUIT HUP
exec 3<&0 </dev/null
"$@" 3<&- &
child=$!
{ read -r _ <&3; kill -TERM "$child"; sleep 5 3<&-; kill -KILL "$child"; } 2>/dev/null >/dev/null &
watcher=$!
exec 3<&-
wait "$child"
status=$?
kill "$watcher" 2>/dev/null
exit "$status"
"#;

/// Longest time from asking the program to end until the shell has given up and killed it.
const ENDING: Duration = Duration::from_secs(8);

/// A running program under its watching shell.
#[derive(Debug)]
pub(crate) struct WatchedChild {
    shell: Child,
    /// Closing it ends the program.
    leash: Option<ChildStdin>,
}

impl WatchedChild {
    /// Starts `program` with `args`; what it prints goes to the file `output`.
    pub(crate) fn spawn<A: AsRef<OsStr>>(
        program: &Path,
        args: &[A],
        output: &Path,
    ) -> io::Result<Self> {
        let stdout = File::create(output)?;
        let stderr = stdout.try_clone()?;
        Self::spawn_to(program, args, stdout.into(), stderr.into())
    }

    /// Starts `program` with `args`; what it says on stderr can be read, without delay, from what is returned. Its
    /// end comes when the program has ended.
    pub(crate) fn spawn_heard<A: AsRef<OsStr>>(
        program: &Path,
        args: &[A],
    ) -> io::Result<(Self, ChildStderr)> {
        let mut child = Self::spawn_to(program, args, Stdio::null(), Stdio::piped())?;
        let stderr = child.shell.stderr.take();
        let stderr = stderr.ok_or_else(|| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok((child, stderr))
    }

    fn spawn_to<A: AsRef<OsStr>>(
        program: &Path,
        args: &[A],
        stdout: Stdio,
        stderr: Stdio,
    ) -> io::Result<Self> {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", WATCH, "weir-envoy"])
            .arg(program)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(stdout)
            .stderr(stderr)
            .spawn()?;
        let leash = shell.stdin.take();
        Ok(Self { shell, leash })
    }

    /// How the program ended, if it did.
    pub(crate) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.shell.try_wait()
    }

    /// Ends the program and waits until it is gone. Does nothing the second time.
    pub(crate) fn stop(&mut self) {
        drop(self.leash.take());
        let started = Instant::now();
        while let Ok(None) = self.shell.try_wait() {
            if started.elapsed() > ENDING {
                // The shell itself hangs; its watcher has already killed the program.
                let _ = self.shell.kill();
                let _ = self.shell.wait();
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for WatchedChild {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_status_and_output_of_the_program_come_through() {
        let dir = tempfile::tempdir().unwrap();
        let output = dir.path().join("out");

        let args = ["-c", "echo said; exit 7"];
        let mut child = WatchedChild::spawn("/bin/sh".as_ref(), &args, &output).unwrap();
        let status = child.shell.wait().unwrap();

        assert_eq!(status.code(), Some(7));
        assert_eq!(std::fs::read_to_string(output).unwrap(), "said\n");
    }

    #[test]
    fn a_program_that_would_run_for_ever_is_gone_after_drop() {
        let dir = tempfile::tempdir().unwrap();
        let (output, pid_file) = (dir.path().join("out"), dir.path().join("pid"));
        let script = format!(
            "echo $$ >{0}.new; mv {0}.new {0}; exec sleep 1000",
            pid_file.display()
        );
        let child = WatchedChild::spawn("/bin/sh".as_ref(), &["-c", &script], &output).unwrap();
        while !pid_file.exists() {
            thread::yield_now();
        }

        drop(child);

        let pid = std::fs::read_to_string(pid_file).unwrap();
        let alive = Command::new("/bin/kill")
            .args(["-0", pid.trim()])
            .stderr(Stdio::null())
            .status();
        assert!(!alive.unwrap().success());
    }
}
