//! Text messages to something that answers as Twilio does, and to something that doesn't.

use std::io::Read;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use gateways::twilio::{Messages, Settings};
use notifications::{Message, Milestone, Receipt, SendError, Texter};

/// A request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Asked {
    line: String,
    authorization: String,
    content_type: String,
    form: Vec<(String, String)>,
}

/// What is answered, and what was asked.
struct State {
    answer: (u16, &'static str),
    asked: Mutex<Vec<Asked>>,
}

struct FakeTwilio {
    url: String,
    state: Arc<State>,
}

impl FakeTwilio {
    fn answering(status: u16, body: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let state = Arc::new(State { answer: (status, body), asked: Mutex::default() });
        let data = Data::from(state.clone());
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let app = move || App::new().app_data(data.clone()).default_service(web::to(answer));
                let server = HttpServer::new(app).workers(1).disable_signals().listen(listener);
                server.expect("it listens").run().await.expect("it serves");
            });
        });
        Self { url, state }
    }

    fn asked(&self) -> Vec<Asked> {
        self.state.asked.lock().expect("nobody panics here").clone()
    }
}

async fn answer(request: HttpRequest, body: Bytes, state: Data<State>) -> HttpResponse {
    let header = |name: &str| {
        let value = request.headers().get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let asked = Asked {
        line: format!("{} {}", request.method(), request.uri()),
        authorization: header("authorization"),
        content_type: header("content-type"),
        form: form_urlencoded::parse(&body).into_owned().collect(),
    };
    state.asked.lock().expect("nobody panics here").push(asked);
    let (status, body) = state.answer;
    HttpResponse::build(StatusCode::from_u16(status).expect("a status")).body(body)
}

async fn send(url: &str, from: &str) -> Result<Receipt, SendError> {
    let messages = Messages::new(Settings {
        account_sid: "AC1".to_owned(),
        login: "SK1".to_owned(),
        secret: "hush-hush".to_owned(),
        from: from.to_owned(),
        api_base: url.to_owned(),
    });
    assert!(!messages.deduplicates());
    let message = Message {
        to: "+15550100199".to_owned(),
        subject: String::new(),
        text: "123456 is your code – and \"that's\" all".to_owned(),
        html: None,
        links: vec![],
        milestone: Milestone::PhoneCode,
        unsubscribe_url: None,
    };
    messages.send_text(&message, "phone_code:1").await
}

#[tokio::test]
async fn a_message_is_one_form_under_the_accounts_key() {
    let twilio = FakeTwilio::answering(201, r#"{"sid":"SM1","status":"queued","error_code":null}"#);
    assert_eq!(send(&twilio.url, "+15550100100").await, Ok("SM1".to_owned()));
    let service = "MG0123456789abcdef0123456789abcdef";
    assert_eq!(send(&twilio.url, service).await, Ok("SM1".to_owned()));
    let asked = |sender: &str, from: &str| Asked {
        line: "POST /2010-04-01/Accounts/AC1/Messages.json".to_owned(),
        // `printf SK1:hush-hush | base64`
        authorization: "Basic U0sxOmh1c2gtaHVzaA==".to_owned(),
        content_type: "application/x-www-form-urlencoded".to_owned(),
        form: [("To", "+15550100199"), (sender, from), ("Body", "123456 is your code – and \"that's\" all")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
    };
    assert_eq!(twilio.asked(), [asked("From", "+15550100100"), asked("MessagingServiceSid", service)]);
}

#[tokio::test]
async fn a_refusal_is_told_without_secrets_and_without_the_number() {
    for (status, body, expected) in [
        (400, r#"{"code":21211,"message":"Invalid 'To' Phone Number: +15550100199"}"#, "refused 21211"),
        (400, r#"{"code":21610,"message":"Attempt to send to unsubscribed recipient"}"#, "refused 21610"),
        (401, r#"{"code":20003,"message":"Authenticate"}"#, "not sent 20003"),
        (429, r#"{"code":20429,"message":"Too Many Requests"}"#, "not sent 20429"),
        (500, r#"{"code":20500,"message":"Internal Server Error"}"#, "unknown 20500"),
        (503, "busy", "not sent 0"),
    ] {
        let twilio = FakeTwilio::answering(status, body);
        let (kind, reason) = match send(&twilio.url, "Pitlane").await {
            Ok(receipt) => panic!("{status}: {receipt}"),
            Err(SendError::Refused(reason)) => ("refused", reason),
            Err(SendError::NotSent(reason)) => ("not sent", reason),
            Err(SendError::Unknown(reason)) => ("unknown", reason),
        };
        let code = reason.rsplit_once('(').map_or("", |(_, code)| code.trim_end_matches(')'));
        assert_eq!(format!("{kind} {code}"), expected, "{reason}");
        assert!(!reason.contains("15550100199") && !reason.contains("hush"), "{reason}");
        assert_eq!(twilio.asked().len(), 1, "nothing is tried again here");
    }
}

#[tokio::test]
async fn a_lost_answer_may_have_been_a_message_and_a_closed_door_was_none() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let hangs_up = std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().expect("somebody comes");
        let read = connection.read(&mut [0; 1_024]).expect("a request");
        assert!(read > 0);
    });
    let lost = send(&url, "Pitlane").await;
    assert!(matches!(lost, Err(SendError::Unknown(_))), "{lost:?}");
    hangs_up.join().expect("it read something");
    let closed = send(&url, "Pitlane").await;
    assert!(matches!(closed, Err(SendError::NotSent(_))), "{closed:?}");
}
