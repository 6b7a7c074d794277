//! What requests carry and how they are counted: files, several parts, pages taken apart by their elements, labels.

use std::sync::{Arc, Mutex};

use super::server::{Answer, Server};
use super::{run, written, written_at};
use crate::measure::interval::Cell;
use crate::measure::sample::{Aside, StepId};

const TEN: &str = r#"load: [Open(rate: [Hold(rate: "100/s", for: "100ms")])]"#;

/// Heads and bodies of requests.
type Seen = Vec<(String, Vec<u8>)>;

#[test]
fn files_and_parts_arrive_byte_for_byte_with_their_length() {
    let folder = tempfile::tempdir().unwrap();
    let bytes: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    let path = folder.path().join("photo.bin");
    std::fs::write(&path, &bytes).unwrap();
    let seen: Arc<Mutex<Seen>> = Arc::default();
    let kept = Arc::clone(&seen);
    let server = Server::start(move |request| {
        kept.lock().unwrap().push((request.head.clone(), request.body.clone()));
        Answer::ok("x")
    });
    let path = path.display();
    let parts = format!(
        r#"{TEN}, vars: {{"n": Counter(start: 5)}}, journeys: {{"a": (steps: [
        Http(name: "file", method: "PUT", url: "/file", body: File("{path}", "image/x-test")),
        Http(name: "parts", method: "POST", url: "/parts", body: Multipart([Text("title", "no ${{n}}"), File("photo", "{path}", "image/x-test")]))])}}"#
    );
    let plan = written_at(&server, &folder.path().join("trial.ron"), &parts);
    assert!(!format!("{plan:?}").contains("255, 0, 1"), "what a file holds stays out of the plan");
    let ran = run(plan, 1);
    assert_eq!(ran.travel().completed, 10, "{:?}", ran.all.total().errors);
    let seen = seen.lock().unwrap();
    let files: Vec<_> = seen.iter().filter(|(head, _)| head.contains("/file")).collect();
    assert!(files.len() == 10 && files.iter().all(|(head, body)| *body == bytes && head.contains("image/x-test")));
    let (head, body) = seen.iter().find(|(head, _)| head.contains("/parts")).unwrap();
    assert!(!head.contains("transfer-encoding"), "{head}");
    let boundary = head.split("boundary=").nth(1).unwrap().lines().next().unwrap();
    let mut want =
        format!("--{boundary}\r\ncontent-disposition: form-data; name=\"title\"\r\n\r\nno 5\r\n").into_bytes();
    want.extend_from_slice(
        format!("--{boundary}\r\ncontent-disposition: form-data; name=\"photo\"; filename=\"photo.bin\"\r\ncontent-type: image/x-test\r\n\r\n")
            .as_bytes(),
    );
    want.extend_from_slice(&bytes);
    want.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    assert!(seen.iter().any(|(_, body)| *body == want), "{}", String::from_utf8_lossy(&body[..300]));
}

#[test]
fn elements_of_a_page_are_taken_by_selector() {
    let page = r#"<html><body><ul id="list"><li class="p"> one <b>x</b></li><li class="p">two</li></ul>
        <form><input name="csrf" value="t0k"><a href="/next">n</a></form></body></html>"#;
    let paths: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&paths);
    let server = Server::start(move |request| {
        kept.lock().unwrap().push(request.path().to_owned());
        Answer::ok(page)
    });
    let steps = r##"Http(name: "page", url: "/page", extract: {
        "first": Css(select: "#list > li.p"), "last": Css(select: "li", pick: Last), "all": Css(select: "li", pick: All),
        "csrf": Css(select: "input[name=csrf]", attr: "value"), "link": Css(select: "a", attr: "href"), "none": Css(select: "h1", or: "-")}),
        Http(name: "go", url: "/go/${first}/${last}/${all.1}/${csrf}/${none}")"##;
    let seen = run(written(&server, &format!(r#"{TEN}, journeys: {{"a": (steps: [{steps}])}}"#)), 1);
    assert_eq!(seen.travel().completed, 10, "{:?}", seen.all.total().errors);
    let paths = paths.lock().unwrap();
    assert_eq!(paths.iter().filter(|path| *path == "/go/one%20x/two/two/t0k/-").count(), 10, "{:?}", paths.last());
}

#[test]
fn labels_count_requests_once_more_by_header_and_by_text() {
    let server = Server::start(|request| {
        let zone = ["north", "south"][usize::try_from(request.number % 2).unwrap()];
        Answer::raw(&format!("HTTP/1.1 200 OK\r\ncontent-length: 1\r\nx-zone: {zone}\r\n\r\nx"))
    });
    let parts = format!(
        r#"{TEN}, vars: {{"n": Counter(), "team": Choice([("team-${{n}}", 1)])}}, journeys: {{"a": (steps: [
        Http(name: "home", url: "/", labels: ["X-Zone", "${{team}}", "x-none"])])}}"#
    );
    let seen = run(written(&server, &parts), 2);
    let of = |label: &str| seen.all.asides.get(&Aside::Label(StepId(0), label.to_owned())).map_or(0, Cell::answered);
    assert_eq!((of("x-zone=north"), of("x-zone=south"), of("team=team-7"), of("x-none=none")), (5, 5, 1, 10));
    assert_eq!(seen.all.total().answered(), 10);
}
