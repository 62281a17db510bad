//! Google's storage and Azure's, as far as uploads need them: everything is in memory, and no key is checked. They end with
//! the process.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data, PayloadConfig};
use actix_web::{App, HttpRequest, HttpResponse, HttpResponseBuilder, HttpServer};
use percent_encoding::percent_decode_str;

const MOST_BYTES: usize = 64 * 1_024 * 1_024;
/// The least that Google takes as a part, but for the last one.
const PART_BYTES: usize = 5 * 1_024 * 1_024;
const MODIFIED: &str = "Thu, 01 Jan 2026 00:00:00 GMT";

/// Whose storage it stands for.
#[derive(Clone, Copy)]
pub enum Kind {
    /// Google's; its bucket is `uploads`.
    Google,
    /// Azure's; its container is `uploads`, of the account `account`.
    Azure,
}

/// Parts by their names: Google's are numbers, Azure's are anything.
type Parts = BTreeMap<String, Vec<u8>>;

#[derive(Default)]
struct Held {
    whole: BTreeMap<String, Vec<u8>>,
    /// What has come to no end, by its key and the name of the upload, which Azure has none of.
    unfinished: BTreeMap<(String, String), Parts>,
}

/// A storage on a port of its own.
pub struct StandIn {
    /// Its origin.
    pub url: String,
    held: Arc<Mutex<Held>>,
}

impl StandIn {
    /// Starts an empty one.
    pub fn start(kind: Kind) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let held = Arc::<Mutex<Held>>::default();
        let data = Data::from(held.clone());
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let app = move || {
                    let most = PayloadConfig::new(MOST_BYTES);
                    let (held, kind) = (data.clone(), Data::new(kind));
                    App::new().app_data(held).app_data(kind).app_data(most).default_service(web::to(answer))
                };
                let server = HttpServer::new(app).workers(1).disable_signals().listen(listener);
                server.expect("it listens").run().await.expect("it serves");
            });
        });
        Self { url, held }
    }

    /// How many things are there, whole or half.
    pub fn count(&self) -> usize {
        let held = self.held.lock().expect("nobody panics here");
        held.whole.len() + held.unfinished.len()
    }
}

/// A question, read.
struct Asked {
    method: String,
    key: String,
    query: BTreeMap<String, String>,
    range: Option<String>,
    body: Bytes,
}

impl Asked {
    fn field(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }
}

async fn answer(
    request: HttpRequest,
    body: Bytes,
    kind: Data<Kind>,
    held: Data<Mutex<Held>>,
) -> HttpResponse {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let path = percent_decode_str(request.path()).decode_utf8().expect("UTF-8").into_owned();
    let root = match **kind {
        Kind::Google => "/uploads",
        Kind::Azure => "/account/uploads",
    };
    // A key of Google's that is for emulators signs nothing.
    let is_signed = matches!(**kind, Kind::Google) || header("authorization").is_some();
    let Some(key) = path.strip_prefix(root).filter(|_| is_signed) else {
        return refused(StatusCode::FORBIDDEN, "AccessDenied");
    };
    let asked = Asked {
        method: request.method().to_string(),
        key: key.trim_start_matches('/').to_owned(),
        query: form_urlencoded::parse(request.query_string().as_bytes()).into_owned().collect(),
        range: header("range").map(str::to_owned),
        body,
    };
    let mut held = held.lock().expect("nobody panics here");
    match **kind {
        Kind::Google => google(&mut held, asked),
        Kind::Azure => azure(&mut held, asked),
    }
}

fn google(held: &mut Held, asked: Asked) -> HttpResponse {
    let upload = asked.query.get("uploadId").map(|id| (asked.key.clone(), id.clone()));
    let (method, prefix) = (asked.method.clone(), asked.field("prefix").to_owned());
    match (method.as_str(), upload) {
        ("GET", None) if asked.query.contains_key("uploads") => {
            let below = held.unfinished.keys().filter(|(key, _)| key.starts_with(&prefix));
            let upload = |(key, id): &(String, String)| {
                format!("<Upload><Key>{key}</Key><UploadId>{id}</UploadId></Upload>")
            };
            let uploads: String = below.map(upload).collect();
            let end = "<IsTruncated>false</IsTruncated></ListMultipartUploadsResult>";
            made(StatusCode::OK).body(format!("<ListMultipartUploadsResult>{uploads}{end}"))
        }
        ("GET", None) if asked.key.is_empty() => {
            let object = |(key, bytes): (&String, &Vec<u8>)| {
                let size = bytes.len();
                format!(
                    "<Contents><Key>{key}</Key><Size>{size}</Size><LastModified>2026-01-01T00:00:00Z</LastModified>\
                     <ETag>\"1\"</ETag></Contents>"
                )
            };
            let below = held.whole.iter().filter(|(key, _)| key.starts_with(&prefix));
            let objects: String = below.map(object).collect();
            made(StatusCode::OK).body(format!("<ListBucketResult>{objects}</ListBucketResult>"))
        }
        ("GET", None) => read(held.whole.get(&asked.key), asked.range.as_deref(), "NoSuchKey"),
        ("POST", None) => {
            let id = held.unfinished.len().to_string();
            let told = format!(
                "<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
            );
            held.unfinished.insert((asked.key, id), Parts::new());
            made(StatusCode::OK).body(told)
        }
        ("PUT", None) => keep(held, asked),
        ("PUT", Some(upload)) => {
            let name = format!("{:0>5}", asked.field("partNumber"));
            let parts = held.unfinished.get_mut(&upload).expect("an upload");
            parts.insert(name, asked.body.to_vec());
            made(StatusCode::OK).finish()
        }
        ("POST", Some(upload)) => {
            let parts = held.unfinished.remove(&upload).expect("an upload");
            let is_small = parts.values().rev().skip(1).any(|part| part.len() < PART_BYTES);
            if is_small {
                return refused(StatusCode::BAD_REQUEST, "EntityTooSmall");
            }
            held.whole.insert(asked.key, parts.into_values().flatten().collect());
            let told = "<CompleteMultipartUploadResult><ETag>\"1\"</ETag></CompleteMultipartUploadResult>";
            made(StatusCode::OK).body(told)
        }
        ("DELETE", Some(upload)) => match held.unfinished.remove(&upload) {
            Some(_) => made(StatusCode::NO_CONTENT).finish(),
            None => refused(StatusCode::NOT_FOUND, "NoSuchUpload"),
        },
        ("DELETE", None) => match held.whole.remove(&asked.key) {
            Some(_) => made(StatusCode::NO_CONTENT).finish(),
            None => refused(StatusCode::NOT_FOUND, "NoSuchKey"),
        },
        _ => refused(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
    }
}

fn azure(held: &mut Held, asked: Asked) -> HttpResponse {
    let upload = (asked.key.clone(), String::new());
    let (method, comp) = (asked.method.clone(), asked.field("comp").to_owned());
    match (method.as_str(), comp.as_str()) {
        ("PUT", "") => {
            held.unfinished.remove(&upload);
            keep(held, asked)
        }
        ("PUT", "block") => {
            let blocks = held.unfinished.entry(upload).or_default();
            blocks.insert(asked.field("blockid").to_owned(), asked.body.to_vec());
            made(StatusCode::CREATED).finish()
        }
        ("PUT", "blocklist") => {
            let mut blocks = held.unfinished.remove(&upload).unwrap_or_default();
            let list = String::from_utf8_lossy(&asked.body).into_owned();
            let named = list.split("<Uncommitted>").skip(1).filter_map(|rest| rest.split('<').next());
            let whole: Vec<u8> = named.flat_map(|id| blocks.remove(id).expect("a block")).collect();
            held.whole.insert(asked.key, whole);
            made(StatusCode::CREATED).finish()
        }
        ("GET", "blocklist") => {
            let blocks: String = match held.unfinished.get(&upload) {
                Some(blocks) => blocks.keys().map(|id| format!("<Block><Name>{id}</Name></Block>")).collect(),
                None if held.whole.contains_key(&asked.key) => String::new(),
                None => return refused(StatusCode::NOT_FOUND, "BlobNotFound"),
            };
            let list = format!("<BlockList><UncommittedBlocks>{blocks}</UncommittedBlocks></BlockList>");
            // As Azure does, with a mark before the first letter.
            made(StatusCode::OK).body(format!("\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>{list}"))
        }
        ("GET", "list") => {
            let prefix = asked.field("prefix");
            let blob = |(key, bytes): (&String, &Vec<u8>)| {
                let size = bytes.len();
                format!(
                    "<Blob><Name>{key}</Name><Properties><Last-Modified>{MODIFIED}</Last-Modified>\
                     <Content-Length>{size}</Content-Length><Content-Type>application/octet-stream</Content-Type>\
                     <Etag>1</Etag></Properties></Blob>"
                )
            };
            let below = held.whole.iter().filter(|(key, _)| key.starts_with(prefix));
            let blobs: String = below.map(blob).collect();
            let list =
                format!("<EnumerationResults><Blobs>{blobs}</Blobs><NextMarker /></EnumerationResults>");
            made(StatusCode::OK).body(list)
        }
        ("GET", "") => read(held.whole.get(&asked.key), asked.range.as_deref(), "BlobNotFound"),
        ("POST", "batch") => {
            let text = String::from_utf8_lossy(&asked.body).into_owned();
            let (_, rest) = text.split_once("DELETE /account/uploads/").expect("something to delete");
            let key = rest.split([' ', '?']).next().unwrap_or_default();
            let status = match held.whole.remove(key) {
                Some(_) => "202 Accepted",
                None => "404 The specified blob does not exist.",
            };
            let head = "Content-Type: application/http\r\nContent-ID: 0";
            made(StatusCode::ACCEPTED)
                .insert_header(("content-type", "multipart/mixed; boundary=batch"))
                .body(format!("--batch\r\n{head}\r\n\r\nHTTP/1.1 {status}\r\n\r\n--batch--\r\n"))
        }
        _ => refused(StatusCode::METHOD_NOT_ALLOWED, "UnsupportedHttpVerb"),
    }
}

fn keep(held: &mut Held, asked: Asked) -> HttpResponse {
    held.whole.insert(asked.key, asked.body.to_vec());
    made(StatusCode::CREATED).finish()
}

fn read(bytes: Option<&Vec<u8>>, range: Option<&str>, missing: &str) -> HttpResponse {
    let Some(bytes) = bytes else { return refused(StatusCode::NOT_FOUND, missing) };
    let range = range.and_then(|range| range.strip_prefix("bytes=")).and_then(|range| range.split_once('-'));
    let Some((first, last)) = range else { return made(StatusCode::OK).body(bytes.clone()) };
    let first: usize = first.parse().expect("a number");
    if first >= bytes.len() {
        return refused(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange");
    }
    let end = last.parse::<usize>().map_or(bytes.len(), |last| bytes.len().min(last + 1));
    made(StatusCode::PARTIAL_CONTENT)
        .insert_header(("content-range", format!("bytes {first}-{}/{}", end - 1, bytes.len())))
        .body(bytes[first..end].to_vec())
}

fn made(status: StatusCode) -> HttpResponseBuilder {
    let mut answer = HttpResponse::build(status);
    answer.insert_header(("etag", "\"1\"")).insert_header(("last-modified", MODIFIED));
    answer
}

fn refused(status: StatusCode, code: &str) -> HttpResponse {
    HttpResponse::build(status).body(format!("<Error><Code>{code}</Code><Message>No.</Message></Error>"))
}
