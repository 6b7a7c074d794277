//! The page in a real browser: it asks for nothing, complains about nothing, and can be read under the strictest policy.
//!
//! The browser's every connection goes to a little server of ours as its proxy, so that nothing can be asked for unseen.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use crate::support::program::Squall;
use crate::support::server::Server;
use crate::support::throwaway::needs;

/// What some build servers put on every page they show.
const STRICT: &str = "Content-Security-Policy: sandbox; default-src 'none'; img-src 'self'; style-src 'self'\r\n";

/// What the browser made of a page.
struct Seen {
    /// The document after loading.
    dom: String,
    /// What was said on its console.
    console: Vec<String>,
    /// First lines of the requests for anything of the page's site.
    asked: Vec<String>,
}

/// The page at `path`, shown with the extra header lines `headers`. `None` without a browser.
fn show(path: &Path, headers: &'static str) -> Option<Seen> {
    let browser = needs("chromium")?;
    let (port, asked) = serve(fs::read(path).unwrap(), headers);
    let profile = tempfile::tempdir().unwrap();
    let shown = Command::new("timeout")
        .arg("60")
        .arg(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("--proxy-server=http://127.0.0.1:{port}"))
        .args(["--proxy-bypass-list=<-loopback>", "--enable-logging=stderr", "--v=0", "--virtual-time-budget=2000"])
        .args(["--dump-dom", "http://page.test/"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&shown.stderr).into_owned();
    // The browser asks its maker for updates of its own accord; that is not the page's doing.
    let own = |line: &&String| !line.contains("google");
    let asked = asked.lock().unwrap().iter().filter(own).cloned().collect();
    Some(Seen {
        dom: String::from_utf8_lossy(&shown.stdout).into_owned(),
        console: said.lines().filter(|line| line.contains(":CONSOLE:")).map(str::to_owned).collect(),
        asked,
    })
}

type Asked = Arc<Mutex<Vec<String>>>;

/// A proxy that answers every request with `page`.
fn serve(page: Vec<u8>, headers: &'static str) -> (u16, Asked) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Asked::default();
    let (page, seen) = (Arc::new(page), Arc::clone(&asked));
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let (page, seen) = (Arc::clone(&page), Arc::clone(&seen));
            thread::spawn(move || answer(stream, &page, headers, &seen));
        }
    });
    (port, asked)
}

fn answer(mut stream: TcpStream, page: &[u8], headers: &str, asked: &Asked) {
    let mut request = [0; 16 * 1024];
    let Ok(n) = stream.read(&mut request) else { return };
    let request = String::from_utf8_lossy(&request[..n]);
    let Some(line) = request.lines().next() else { return };
    asked.lock().unwrap().push(line.to_owned());
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{headers}Connection: close\r\nContent-Length: {}\r\n\r\n",
        page.len()
    );
    drop(stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(page)));
}

fn assert_whole(seen: &Seen) {
    assert_eq!(seen.asked, ["GET http://page.test/ HTTP/1.1"], "the page and nothing else");
    let drawn = seen.dom.matches("role=\"img\"").count();
    assert!(drawn >= 7, "{drawn} pictures");
    assert!(seen.dom.contains("</html>") && seen.dom.contains("What was demanded"), "{}", seen.dom.len());
}

#[test]
fn a_page_in_a_browser_asks_for_nothing_and_complains_about_nothing() {
    let server = Server::start().drop_every(10);
    let ran =
        Squall::new().args(["run", &server.url(), "--rate", "100/s", "--for", "3s", "--check", "errors < 1%"]).run();
    // Whatever the verdict on a busy machine: the page is there.
    let path = ran.report().join("index.html");
    let Some(seen) = show(&path, "") else { return };
    assert_whole(&seen);
    assert_eq!(seen.console, Vec::<String>::new());
    let Some(strict) = show(&path, STRICT) else { return };
    assert_whole(&strict);
    // The style sheet is all that such a policy takes away.
    let [refused] = strict.console.as_slice() else { panic!("{:?}", strict.console) };
    assert!(refused.contains("inline style"), "{refused}");
}

#[test]
fn the_gallery_is_small_and_asks_for_nothing() {
    let gallery = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/gallery");
    let mut pages = 0;
    for entry in fs::read_dir(gallery).unwrap() {
        let path = entry.unwrap().path();
        let size = fs::metadata(&path).unwrap().len();
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("html") => {
                pages += 1;
                assert!(size <= 1 << 20, "{}: {size} bytes", path.display());
                let Some(seen) = show(&path, "") else { continue };
                assert_whole(&seen);
                assert_eq!(seen.console, Vec::<String>::new(), "{}", path.display());
            }
            Some("png") => assert!(size <= 400 << 10, "{}: {size} bytes", path.display()),
            _ => {}
        }
    }
    assert!(pages >= 3, "{pages} pages");
}
