//! Every page in the states that people meet it in.

use serde_json::{Value, json};
use tests::money::{AUTHENTICATED_CARD, Checkout, GOOD_CARD};
use tests::{Person, TestServer, until};

use crate::blackbox::applications::{sent, workshop};
use crate::blackbox::jobs::GIVE_UP;
use crate::blackbox::money_back::{meeting_with_card, upgrade};
use crate::blackbox::security::enrol;
use crate::blackbox::session_money;
use crate::blackbox::watch::waiting;

/// A page in one state.
pub struct Scene {
    /// What it is called.
    pub name: &'static str,
    /// Where it is.
    pub path: String,
    /// The `Cookie` header of who looks at it.
    pub cookie: Option<String>,
    /// A script that brings it into its state.
    pub prepare: &'static str,
    /// What can be read once it is there.
    pub shows: &'static str,
}

const SEND: &str = "
    const form = document.querySelector('main form');
    form.noValidate = true;
    form.querySelector('button.button-primary, button.primary').click();";
const SEND_ADDRESS: &str = "
    document.querySelector('[name=email]').value = 'somebody@example.com';
    document.querySelector('main form button.button-primary').click();";
const SEND_WRONG_PASSWORD: &str = "
    document.querySelector('[name=email]').value = 'somebody@example.com';
    document.querySelector('[name=password]').value = 'this is not it';
    document.querySelector('main form button.button-primary').click();";
const SIGN_IN_PROTECTED: &str = "
    document.querySelector('[name=email]').value = 'mechanic2@example.com';
    document.querySelector('[name=password]').value = 'pitlane-demo';
    document.querySelector('main form button.button-primary').click();";
const SEND_TICKED: &str = "
    document.querySelector('[name=sure]').checked = true;
    document.querySelector('[name=current_password]').value = 'this is not it';
    document.querySelector('main form button.button-danger').click();";
const ERASE: &str = "
    document.querySelector('[name=sure]').checked = true;
    document.querySelector('[name=current_password]').value = 'a long enough password 42';
    document.querySelector('main form button.button-danger').click();";
const OPEN_UPGRADE: &str = "document.querySelector('[data-bar] [data-show]').click();";
const OPEN_EXTENSION: &str = "document.querySelector('.room-side [data-open=extend]').click();";
const OPEN_DIALOG: &str = "document.querySelector('header [data-open=end]').click();";
const REFUSE_CAMERA: &str = "
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'));
    document.querySelector('[data-do=enter][data-word=unchecked]').click();";
const JOIN_WITHOUT: &str = "
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'));
    document.querySelector('[data-do=enter-watch]').click();";
const CHECK_REFUSED: &str = "
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'));
    document.querySelector('[data-open=check]').click();";
const ASK_FOR_A_PART: &str = "
    document.querySelector('[name=how][value=part]').click();
    document.querySelector('session-refund [type=submit]').click();";
const ASK_FOR_ALL: &str = "
    document.querySelector('#reason').value = 'The call broke off.';
    document.querySelector('session-refund [type=submit]').click();";
const CHECK_GOOD: &str = "
    navigator.mediaDevices.getUserMedia = async () => {
        const canvas = document.createElement('canvas');
        canvas.getContext('2d');
        const sound = new AudioContext().createMediaStreamDestination().stream;
        return new MediaStream([...canvas.captureStream(5).getTracks(), ...sound.getTracks()]);
    };
    document.querySelector('[data-open=check]').click();";
const CHECK_NONE: &str = "
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotFoundError'));
    document.querySelector('[data-open=check]').click();";
const OPEN_DETAILS: &str = "for (const one of document.querySelectorAll('details')) one.open = true;";
const OPEN_SOME_DETAILS: &str = "[...document.querySelectorAll('main details')].filter((_, at) => at % 9 === 0).forEach((one) => (one.open = true));";

struct Looking(Option<String>);

impl Looking {
    fn by(person: &Person) -> Self {
        Self(person.client.cookie())
    }

    fn at(&self, name: &'static str, path: impl Into<String>, shows: &'static str) -> Scene {
        self.after(name, path, "", shows)
    }

    fn after(
        &self,
        name: &'static str,
        path: impl Into<String>,
        prepare: &'static str,
        shows: &'static str,
    ) -> Scene {
        Scene { name, path: path.into(), cookie: self.0.clone(), prepare, shows }
    }
}

/// What is there for who has not signed in.
pub async fn of_strangers(server: &TestServer) -> Vec<Scene> {
    let newcomer = server.register("customer", "Nora New").await;
    let forget = json!({ "email": newcomer.email });
    server.guest().post("/api/auth/magic-link", forget.clone()).await.expect_status(202);
    server.guest().post("/api/auth/password/forgot", forget).await.expect_status(202);
    let verify = server.mailed_token(&newcomer.email, "verification", "/auth/verify/").await;
    let magic = server.mailed_token(&newcomer.email, "magic_link", "/auth/magic/").await;
    let reset = server.mailed_token(&newcomer.email, "password_reset", "/auth/reset/").await;
    let guest = Looking(None);
    let waiting = "/start?redirect=/intake%3Fplan%3Dvideo15";
    vec![
        guest.after("landing", "/", OPEN_DETAILS, "Every price, nothing hidden"),
        guest.at("sign-in", "/start", "without a password"),
        guest.at("sign-in-waiting", waiting, "Your request is waiting"),
        guest.after("sign-in-wrong", "/start", SEND_WRONG_PASSWORD, "is wrong."),
        guest.at("register", "/start?mode=register", "What brings you here"),
        guest.after("register-wrong", "/start?mode=register", SEND, "Create your account"),
        guest.at("sign-in-link", "/start?mode=magic-link", "Sign in without a password"),
        guest.at("forgot", "/start?mode=forgot", "Choose a new password"),
        guest.after("check-mail", "/start?mode=forgot", SEND_ADDRESS, "Check your mail"),
        guest.at("magic", format!("/auth/magic/{magic}"), "You are one tap away"),
        guest.at("magic-over", "/auth/magic/nonsense", "This link has run out"),
        guest.at("verify", format!("/auth/verify/{verify}"), "This address is mine"),
        guest.at("verify-over", "/auth/verify/nonsense", "This link has run out"),
        guest.at("reset", format!("/auth/reset/{reset}"), "Save the new password"),
        guest.after("reset-wrong", format!("/auth/reset/{reset}"), SEND, "Save the new password"),
        guest.at("reset-over", "/auth/reset/nonsense", "This link has run out"),
        guest.at("terms", "/terms", "What you get"),
        guest.at("privacy", "/privacy", "Nothing is recorded"),
        guest.at("unsubscribe-unknown", "/unsubscribe/nonsense", "know this link"),
        guest.at("not-found", "/nothing-here", "404"),
        guest.at("mailbox", "/dev/mailbox", "Mailbox"),
        guest.at("docs", "/api/docs", "Codes of errors"),
        guest.after("docs-open", "/api/docs", OPEN_SOME_DETAILS, "Codes of errors"),
        guest.at("sandbox", "/sandbox", "Payment sandbox"),
    ]
}

/// What a customer sees until the money has come.
pub async fn of_customers(server: &TestServer) -> Vec<Scene> {
    let (newcomer, paying) = (server.register("customer", "Nora New").await, server.customer().await);
    let new = Looking::by(&newcomer);
    let checkout = paying.checkout("video15").await;
    let confirming = paying.checkout("diagnostic").await;
    paying.pay(&confirming, AUTHENTICATED_CARD).await.expect_status(303);
    paying.client.post("/api/me/tokens", json!({ "name": "Workshop calendar" })).await.expect_status(201);
    server.sign_in(&paying.email, tests::people::PASSWORD).await;
    let keeping = server.customer().await;
    keeps_a_card_and_a_telephone(&keeping).await;
    let paying_again = format!("/sandbox/checkout/{}", keeping.checkout("video15").await.id);
    let pay = format!("/sandbox/checkout/{}", checkout.id);
    let it = Looking::by(&paying);
    let (keep_card, onboarding) = pages_of_the_sandbox(server).await;
    vec![
        new.at("dashboard-new", "/dashboard", "Confirm your e-mail"),
        new.at("intake-free-unverified", "/intake?plan=free", "Confirm your e-mail address first"),
        new.at("account-new", "/account", "is not confirmed yet"),
        it.at("dashboard-empty", "/dashboard", "No sessions yet"),
        it.at("intake", "/intake?plan=chat10", "What is the car doing?"),
        it.after("intake-wrong", "/intake?plan=chat10", SEND, "things to fix"),
        it.at("payment", pay.clone(), "Pay by card"),
        Looking::by(&keeping).at("payment-kept-card", paying_again, "Or another card"),
        it.after("payment-wrong", pay, SEND, "Some details are not right yet."),
        it.at("payment-confirm", format!("/sandbox/checkout/{}/authenticate", confirming.id), "yours?"),
        it.at("payment-keep-card", keep_card, "Nothing is charged now"),
        it.at("account-onboarding", onboarding, "Get paid by Pitlane"),
        it.at("return-unpaid", success(&checkout), "You have not paid yet"),
        it.at("intake-not-paid", "/intake?plan=video15", "described a car and not paid yet"),
        it.at("account", "/account", "Workshop calendar"),
        Looking::by(&keeping).after("account-kept", "/account", OPEN_DETAILS, "Visa ending in 4242"),
        it.at("wrong-role", "/admin", "403"),
    ]
}

async fn keeps_a_card_and_a_telephone(person: &Person) {
    let kept = person.checkout("chat10").await;
    let form = [("card_number", GOOD_CARD), ("exp", "12/34"), ("cvc", "123"), ("save_card", "on")];
    person.client.post_form(&format!("/sandbox/checkout/{}/pay", kept.id), &form).await.expect_status(303);
    person.client.post("/api/me/phone", json!({ "phone": "+15550100199" })).await.expect_status(202);
}

/// A page that only keeps a card, and one where a connected account is completed: Pitlane asks for neither yet.
async fn pages_of_the_sandbox(server: &TestServer) -> (String, String) {
    let shop = server.guest().with_header("authorization", "Bearer sk_test_x");
    let keep = [("mode", "setup"), ("success_url", "https://shop.example/")];
    let session = shop.post_form("/v1/checkout/sessions", &keep).await.expect_status(200);
    let kind = [("type", "express"), ("email", "mechanic@shop.example")];
    let account = shop.post_form("/v1/accounts", &kind).await.expect_status(200).text_at("id");
    let wanted = [
        ("account", account.as_str()),
        ("type", "account_onboarding"),
        ("refresh_url", "https://shop.example/again"),
        ("return_url", "https://shop.example/done"),
    ];
    let link = shop.post_form("/v1/account_links", &wanted).await.expect_status(200);
    let path = |url: String| url.trim_start_matches(&server.url()).to_owned();
    (path(session.text_at("url")), path(link.text_at("url")))
}

fn success(checkout: &Checkout) -> String {
    format!("/checkout/success?session_id={}", checkout.id)
}

/// What protects an account, and the way out of it.
pub async fn of_accounts(server: &TestServer) -> Vec<Scene> {
    let (dana, leaving) = (server.customer().await, server.customer().await);
    let wish = json!({ "email": format!("new-{}", dana.email), "current_password": tests::people::PASSWORD });
    dana.client.send(reqwest::Method::PATCH, "/api/me", Some(wish)).await.expect_status(200);
    let beginning = server.mechanic().await;
    let password = json!({ "current_password": tests::people::PASSWORD });
    beginning.client.post("/api/me/second-factor", password).await.expect_status(201);
    let protected = server.demo("mechanic2").await;
    enrol(&protected, tests::people::DEMO_PASSWORD).await;
    leaving.paid_session("chat10").await;
    let (it, begun, on) = (Looking::by(&dana), Looking::by(&beginning), Looking::by(&protected));
    let (gone, guest) = (Looking::by(&leaving), Looking(None));
    vec![
        it.after("account-security", "/account", OPEN_DETAILS, "Open the link we sent to"),
        it.at("second-factor-off", "/account/second-factor", "Set up an app"),
        it.after("second-factor-wrong", "/account/second-factor", SEND, "not your current password"),
        begun.at("second-factor-begun", "/account/second-factor", "Scan this picture"),
        begun.after("second-factor-key", "/account/second-factor", OPEN_DETAILS, "Type the key instead"),
        on.at("second-factor-on", "/account/second-factor", "10 recovery codes are left"),
        guest.after("sign-in-code", "/start", SIGN_IN_PROTECTED, "Your code"),
        gone.at("erase", "/account/erase", "Your open session ends"),
        gone.after("erase-wrong", "/account/erase", SEND_TICKED, "not your current password"),
        gone.after("erased", "/account/erase", ERASE, "Your account is erased"),
    ]
}

/// A whole summary.
fn written() -> Value {
    json!({
        "findings": "The third coil fails.\nSafe to drive gently until it is changed.",
        "steps_taken": "Swapped coils 2 and 3; the fault moved with the coil.",
        "parts_needed": "Ignition coil, $55 to $80",
        "next_steps": "Change it within two weeks.",
    })
}

/// What a customer, mechanics and an admin see of sessions.
pub async fn of_sessions(server: &TestServer) -> Vec<Scene> {
    let (dana, max, nina) = (server.customer().await, server.mechanic().await, server.mechanic().await);
    let pending = server.register("mechanic", "Pia Pending").await;
    let off_duty = server.demo("mechanic").await;
    off_duty.client.put_duty(false).await;
    let over = started(&dana, &max, "chat10").await;
    max.say(&over, "1", "Listen for it at low speed.").await.expect_status(201);
    max.step(&over, "end").await.expect_status(200);
    let summed = started(&dana, &max, "chat10").await;
    dana.say(&summed, "1", "It shakes at idle.").await.expect_status(201);
    max.step(&summed, "end").await.expect_status(200);
    max.client.post(&format!("/api/sessions/{summed}/summary"), written()).await.expect_status(201);
    let left = server.customer().await;
    let emptied = started(&left, &max, "chat10").await;
    left.client.send(reqwest::Method::DELETE, "/api/me", None).await.expect_status(204);
    let cancelled = dana.checkout("chat10").await;
    dana.pay(&cancelled, GOOD_CARD).await.expect_status(303);
    let called_off = dana.session_of(&cancelled).await;
    dana.step(&called_off, "cancel").await.expect_status(200);
    let waiting = dana.paid_session("video15").await;
    let accepted = dana.paid_session("chat10").await;
    max.accept(&accepted).await;
    let live = started(&dana, &max, "diagnostic").await;
    dana.say(&live, "2", "It grinds when I brake.").await.expect_status(201);
    max.say(&live, "3", "Since when, and does the wheel get hot?").await.expect_status(201);
    server.database().execute(GIVE_UP).expect("jobs are dead");
    let support = server.demo("support").await;
    disputed(server, &support).await;

    let room = |session: &str| format!("/chat/{session}");
    let thanks = |session: &str| format!("/thank-you?session={session}");
    let summary = |session: &str| format!("/sessions/{session}/summary");
    let complete = |session: &str| format!("/sessions/{session}/complete");
    let transcript = |session: &str| format!("/sessions/{session}/transcript");
    let correct = format!("{}?edit=1", summary(&summed));
    let receipt = format!("/orders/{}/receipt", cancelled.order_id);
    let (her, his, admins) = (Looking::by(&dana), Looking::by(&max), Looking::by(&server.admin().await));
    vec![
        her.at("dashboard", "/dashboard", "My sessions"),
        her.at("thank-you-waiting", thanks(&waiting), "We are asking mechanics now"),
        her.at("thank-you-accepted", thanks(&accepted), "Your mechanic is ready"),
        her.at("thank-you-live", thanks(&live), "Your session is live"),
        her.at("thank-you-over", thanks(&over), "This session is over"),
        her.at("thank-you-cancelled", thanks(&called_off), "This session was cancelled"),
        her.at("chat-waiting", room(&waiting), "Waiting for a mechanic to join"),
        her.at("chat-live", room(&live), "does the wheel get hot?"),
        her.at("room-early", room(&waiting), "Video begins when a mechanic has accepted."),
        her.at("room-ready", room(&live), "Show the car and see"),
        her.after("room-refused", room(&live), REFUSE_CAMERA, "The browser blocks the camera"),
        her.after("room-check", room(&live), CHECK_GOOD, "Both work."),
        her.after("room-check-none", room(&live), CHECK_NONE, "Check again"),
        her.after("room-check-refused", room(&live), CHECK_REFUSED, "The browser blocks them."),
        his.after("room-waiting", room(&live), JOIN_WITHOUT, "to join the video."),
        her.after("chat-dialog", room(&live), OPEN_DIALOG, "End this session?"),
        her.after("upgrade-dialog", room(&accepted), OPEN_UPGRADE, "Total after upgrade"),
        her.after("extension-dialog", room(&live), OPEN_EXTENSION, "Add 10 minutes?"),
        her.at("chat-details", format!("{}#details", room(&accepted)), "Quick Chat"),
        her.at("chat-over", room(&over), "Session over"),
        her.at("chat-cancelled", room(&called_off), "Session over"),
        her.at("summary-waiting", summary(&over), "is writing it down"),
        her.at("summary-early", summary(&live), "The summary comes after the session"),
        her.at("summary-never", summary(&called_off), "There is no summary"),
        her.at("summary", summary(&summed), "Change it within two weeks."),
        her.at("complete-waiting", complete(&over), "The summary is on its way"),
        her.after("complete", complete(&summed), OPEN_DETAILS, "It shakes at idle."),
        her.at("transcript", transcript(&summed), "What was said and done"),
        his.at("transcript-gone", transcript(&emptied), "has been erased"),
        his.at("summary-form", summary(&over), "Findings"),
        his.after("summary-form-wrong", summary(&over), SEND, "A summary says what was found."),
        his.at("summary-correct", correct, "Save the correction"),
        his.at("summary-gone", summary(&emptied), "What was written here is gone"),
        his.at("complete-gone", complete(&emptied), "What was written here is gone"),
        his.at("chat-gone", room(&emptied), "What was written here has been deleted."),
        his.at("summary-mine", summary(&summed), "Correct the summary"),
        her.at("receipt", receipt, "Paid in all"),
        his.at("mechanic", "/mechanic", "My sessions"),
        Looking::by(&nina).at("mechanic-requests", "/mechanic", "A grinding noise"),
        Looking::by(&off_duty).at("mechanic-off-duty", "/mechanic", "You are off duty"),
        Looking::by(&pending).at("mechanic-pending", "/mechanic", "Apply to see requests"),
        his.at("chat-accepted-mechanic", room(&accepted), "Start the session"),
        his.at("chat-live-mechanic", room(&live), "It grinds when I brake."),
        admins.at("admin", "/admin", "A payment is disputed"),
        admins.at("admin-assign", format!("/admin?assign={waiting}#assign"), "Assign a mechanic by hand"),
        admins.at("self-check", "/admin/self-check", "It answered this browser"),
        admins.at("admin-nothing", "/admin?q=nobody", "No session fits"),
        admins.at("jobs", "/admin/jobs", "the carrier was away"),
        admins.at("jobs-none", "/admin/jobs?status=running", "Nothing runs"),
        Looking::by(&support).at("admin-support", "/admin", "Active sessions"),
        Looking::by(&support).at("jobs-support", "/admin/jobs", "the carrier was away"),
        admins.at("audit", "/admin/audit", "Lines are added and never changed."),
        admins.at("audit-nothing", "/admin/audit?action=nothing", "No line fits"),
        admins.at("chat-observed", room(&live), "You are reading along."),
    ]
}

async fn started(customer: &Person, mechanic: &Person, plan: &str) -> String {
    let session = customer.paid_session(plan).await;
    mechanic.accept(&session).await;
    mechanic.step(&session, "start").await.expect_status(200);
    session
}

/// Somebody takes a payment to their bank, and it stands on the board.
async fn disputed(server: &TestServer, staff: &Person) {
    server.disputed_chat().await;
    until("the dispute to stand on the board", async || (!waiting(staff).await.is_empty()).then_some(()))
        .await;
}

/// What applicants, workshops and admins see of applications and people.
pub async fn of_staff(server: &TestServer) -> Vec<Scene> {
    let admin = server.admin().await;
    let decide = async |id: &str, verb: &str, body: Value| {
        let path = format!("/api/admin/applications/{id}/{verb}");
        admin.client.post(&path, body).await.expect_status(200);
    };
    let apply = async |name: &str| {
        let person = server.register("mechanic", name).await;
        let body = sent(&person).await;
        let id = person.client.post("/api/mechanics/apply", body).await.expect_status(201).text_at("id");
        (person, id)
    };
    let fresh = server.register("mechanic", "Fay Fresh").await;
    let (waits, waiting) = apply("Wanda Waits").await;
    let (asked, question) = apply("Ari Asked").await;
    decide(&question, "ask", json!({ "question": "Who issued the certificate?\nPlease send page 2." })).await;
    let (refused, refusal) = apply("Rob Refused").await;
    decide(&refusal, "refuse", json!({ "reason": "The licence ran out in May." })).await;
    let (approved, approval) = apply("Ada Approved").await;
    decide(&approval, "approve", json!({})).await;
    let owner = workshop(server, "Northside Motors").await;
    let riverside = server.demo("workshop").await;
    let invite = json!({ "email": "nora@example.com" });
    riverside.client.post("/api/workshops/me/invitations", invite).await.expect_status(201);
    let token = server.mailed_token("nora@example.com", "workshop_invitation", "/workshop/join/").await;
    let gone = server.customer().await;
    let reason = json!({ "reason": "Three chargebacks." });
    let suspend = format!("/api/admin/users/{}/suspend", gone.id);
    admin.client.post(&suspend, reason).await.expect_status(200);
    let helper = server.mechanic().await;
    let session = server.customer().await.paid_session("chat10").await;
    helper.accept(&session).await;

    let one = |id: &str| format!("/admin/applications/{id}");
    let person = |id: &str| format!("/admin/users/{id}");
    let (admins, fresh) = (Looking::by(&admin), Looking::by(&fresh));
    vec![
        fresh.at("apply", "/mechanic/apply", "What you are good at"),
        fresh.at("apply-workshop", "/mechanic/apply?as=workshop", "Name of the workshop"),
        fresh.after("apply-wrong", "/mechanic/apply", SEND, "things to fix"),
        Looking::by(&waits).at("apply-sent", "/mechanic/apply", "Nothing to do for you now"),
        Looking::by(&waits).at("mechanic-applied", "/mechanic", "See what you sent"),
        Looking::by(&asked).at("apply-asked", "/mechanic/apply", "Please send page 2."),
        Looking::by(&asked).at("mechanic-asked", "/mechanic", "Please send page 2."),
        Looking::by(&refused).at("apply-refused", "/mechanic/apply", "The licence ran out in May."),
        Looking::by(&refused).at("mechanic-refused", "/mechanic", "You may apply again from"),
        Looking::by(&approved).at("apply-approved", "/mechanic/apply", "Welcome to Pitlane"),
        Looking::by(&owner).at("workshop-empty", "/workshop", "No mechanics yet"),
        Looking::by(&riverside).at("workshop", "/workshop", "Not accepted yet"),
        Looking(None).at("join", format!("/workshop/join/{token}"), "Make your account"),
        Looking::by(&helper).at("join-other", format!("/workshop/join/{token}"), "Sign out"),
        Looking(None).at("join-over", "/workshop/join/nonsense", "This invitation has ended"),
        admins.at("admin-applications", "/admin", "1 application waits"),
        admins.at("admin-no-attention", "/admin", "Nothing waits for you."),
        admins.at("applications", "/admin/applications", "Wanda Waits"),
        admins.at(
            "applications-none",
            "/admin/applications?status=withdrawn",
            "No application is in this state",
        ),
        admins.after("application", one(&waiting), OPEN_DETAILS, "Approve Wanda Waits"),
        admins.at("application-refused", one(&refusal), "This application is closed"),
        admins.at("people", "/admin/users", "Riverside Garage"),
        admins.at("people-none", "/admin/users?q=nobody-here", "Nobody fits"),
        admins.after("person", person(&helper.id), OPEN_DETAILS, "as the mechanic"),
        admins.at("person-suspended", person(&gone.id), "Suspended since"),
        admins.at("person-own", person(&admin.id), "This is your own account."),
    ]
}

/// What admins and support see of the money of sessions, and of disputes.
pub async fn of_money(server: &TestServer) -> Vec<Scene> {
    let meeting = meeting_with_card(server).await;
    let (session, dana) = (&meeting.session, &meeting.customer);
    let intent = upgrade(dana, session).await;
    dana.client.post_nothing(&format!("/api/sessions/{session}/extend")).await.expect_status(200);
    dana.step(session, "end").await.expect_status(200);
    let fresh = server.customer().await.session_with_card("chat10", GOOD_CARD).await;
    let (admin, support) = (server.admin().await, server.demo("support").await);
    let part = json!({ "amount_cents": 500, "reason": "The call broke off. She was kind about it." });
    let refund = |session: &str| format!("/api/admin/sessions/{session}/refund");
    admin.client.post(&refund(session), part).await.expect_status(200);
    let (case, _) = session_money::disputed(server, &admin, &intent).await;
    let gone = server.customer().await.paid_session("chat10").await;
    admin.client.post(&refund(&gone), json!({ "reason": "A mistake of ours." })).await.expect_status(200);

    let money = |session: &str| format!("/admin/sessions/{session}");
    let (admins, supports) = (Looking::by(&admin), Looking::by(&support));
    vec![
        admins.at("sessions", "/admin/sessions", "Disputed"),
        admins.at("sessions-none", "/admin/sessions?q=nobody", "No session fits"),
        supports.at("sessions-support", "/admin/sessions", "Disputed"),
        admins.at("session-money", money(&fresh), "$9.99 can still go back"),
        admins.after("session-money-part", money(&fresh), ASK_FOR_A_PART, "Write an amount such as 5.00."),
        admins.after("session-money-sure", money(&fresh), ASK_FOR_ALL, "Send $9.99 back to Dana Driver?"),
        admins.at("session-money-disputed", money(session), "Open the case"),
        admins.at("session-money-gone", money(&gone), "Nothing can go back"),
        supports.at("session-money-support", money(session), "An admin can send money back."),
        admins.at("disputes", "/admin/disputes", "1 dispute waits for an answer"),
        admins.at("disputes-none", "/admin/disputes?status=won", "No dispute is in this state"),
        admins.at("dispute", format!("/admin/disputes/{case}"), "What speaks for us"),
    ]
}
