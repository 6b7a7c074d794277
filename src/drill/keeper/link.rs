//! The stream to one keeper's process: requests by number, their answers, and the end of it.
//!
//! Not here: what is asked (`controller`).

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdStream;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{oneshot, watch};

use super::controller::Program;
use super::message::{Answered, Asked, Reply, Request};
use super::{KeeperError, LOG};

/// The stream to one process.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) out: Mutex<Option<UnboundedSender<Asked>>>,
    waiting: Arc<Mutex<HashMap<u64, oneshot::Sender<Reply>>>>,
    next: AtomicU64,
    /// True once the stream has ended.
    pub(super) gone: watch::Receiver<bool>,
    pub(super) child: Mutex<Option<Child>>,
    pub(super) pid: u32,
}

pub(super) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Link {
    pub(super) fn start(program: &Program, dir: &PathBuf) -> Result<Self, KeeperError> {
        let (ours, theirs) = StdStream::pair().map_err(KeeperError::Start)?;
        ours.set_nonblocking(true).map_err(KeeperError::Start)?;
        let log = OpenOptions::new().create(true).append(true).open(dir.join(LOG)).map_err(KeeperError::Start)?;
        let child = Command::new(&program.path)
            .args(&program.args)
            .arg(dir)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::from(log))
            .kill_on_drop(false)
            .spawn()
            .map_err(KeeperError::Start)?;
        let pid = child.id().unwrap_or_default();
        let (read, write) = UnixStream::from_std(ours).map_err(KeeperError::Start)?.into_split();
        let (out, lines) = unbounded_channel();
        let waiting = Arc::new(Mutex::new(HashMap::new()));
        let (tell, gone) = watch::channel(false);
        tokio::spawn(send(write, lines));
        tokio::spawn(listen(read, Arc::clone(&waiting), tell));
        Ok(Self {
            out: Mutex::new(Some(out)),
            waiting,
            next: AtomicU64::new(1),
            gone,
            child: Mutex::new(Some(child)),
            pid,
        })
    }

    /// Asks; the receiver fails when the stream ends first.
    pub(super) fn ask(&self, request: Request) -> oneshot::Receiver<Reply> {
        let n = self.next.fetch_add(1, Relaxed);
        let (tell, reply) = oneshot::channel();
        held(&self.waiting).insert(n, tell);
        let sent = held(&self.out).as_ref().is_some_and(|out| out.send(Asked { n, request }).is_ok());
        if !sent || *self.gone.borrow() {
            held(&self.waiting).remove(&n);
        }
        reply
    }

    /// Says something without waiting.
    pub(super) fn tell(&self, request: Request) {
        if let Some(out) = held(&self.out).as_ref() {
            drop(out.send(Asked { n: 0, request }));
        }
    }
}

/// Writes what is asked; ends the stream when nobody asks any more.
async fn send(mut write: OwnedWriteHalf, mut lines: UnboundedReceiver<Asked>) -> io::Result<()> {
    while let Some(asked) = lines.recv().await {
        let mut line = serde_json::to_string(&asked)?;
        line.push('\n');
        write.write_all(line.as_bytes()).await?;
    }
    Ok(())
}

async fn listen(
    read: OwnedReadHalf,
    waiting: Arc<Mutex<HashMap<u64, oneshot::Sender<Reply>>>>,
    gone: watch::Sender<bool>,
) {
    let mut lines = BufReader::new(read).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let Ok(answered) = serde_json::from_str::<Answered>(&line) else { break };
        let asker = held(&waiting).remove(&answered.n);
        if let Some(asker) = asker {
            drop(asker.send(answered.reply));
        }
    }
    gone.send_replace(true);
    held(&waiting).clear();
}
