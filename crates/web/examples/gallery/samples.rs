//! Every page and mail in its states, for the gallery and for the tests that hold for all pages.

mod account_sections;
#[path = "guarded.rs"]
mod guarded;
#[path = "letters.rs"]
mod letters;
#[path = "money.rs"]
mod money;
#[path = "staff.rs"]
mod staff;
#[path = "watch.rs"]
mod watch;

use std::sync::Arc;

use web::Page;
use web::account::{AccountPage, PhoneSection, SignInRow, TokenRow};
use web::admin::{AdminPage, AssignableMechanic, LiveCounts, LiveQuery, LiveRow, PendingMechanic};
use web::auth::{CheckMailPage, LinkState, MagicPage, MailPurpose, ResetPage, VerifyPage};
use web::chat::{ChatPage, ChatSession, Event, EventBody, FileLink, NoteKind, Person, RoomRole, Vehicle};
use web::checkout::{Bought, CheckoutState, CheckoutSuccessPage};
use web::dashboard::DashboardPage;
use web::error_page::{ErrorKind, ErrorPage};
use web::form::Errors;
use web::frame::{Frame, Nav, Role, Viewer};
use web::intake::{IntakeForm, IntakePage, UploadedFile, Waiver};
use web::landing::LandingPage;
use web::legal::{LegalPage, LegalText, LegalTexts};
use web::mail::Mail;
use web::mailbox::{MailboxItem, MailboxPage};
use web::mechanic::{Application, Approval, MechanicPage, RequestCard};
use web::money::Amount;
use web::plan::{PlanCard, ReceiptLine};
use web::receipt::{Movement, ReceiptPage};
use web::self_check::{CheckRow, SelfCheckPage};
use web::session::{SessionRow, SessionStatus};
use web::start::{Mode, StartForm, StartPage};
use web::thank_you::ThankYouPage;
use web::unsubscribe::{UnsubscribePage, UnsubscribeState};

mod api;

/// Text that must never come out as markup.
pub const HOSTILE: &str = "<img src=x onerror=alert(1)> \"quoted\" & 'single' {{ name }}";

const MAYA: &str = "0198d7a0-0000-7000-8000-00000000000a";
const DANA: &str = "0198d7a0-0000-7000-8000-00000000000b";
const SESSION: &str = "0198d7a0-0000-7000-8000-0000000044c1";

type Rendered = Vec<(String, String)>;

/// Every page: a name and its HTML.
pub fn pages() -> Result<Rendered, web::Error> {
    let mut out = Vec::new();
    entry(&mut out)?;
    customer(&mut out)?;
    rooms(&mut out)?;
    staff(&mut out)?;
    staff::pages(&mut out)?;
    money::pages(&mut out)?;
    api::pages(&mut out)?;
    errors(&mut out)?;
    Ok(out)
}

fn add(out: &mut Rendered, name: &str, page: &dyn Page) -> Result<(), web::Error> {
    out.push((name.to_owned(), page.render()?));
    Ok(())
}

fn usd(cents: i64) -> Amount {
    Amount::new(cents, "usd")
}

fn frame(role: Option<Role>, nav: Nav) -> Frame {
    let viewer = role.map(|role| {
        let (id, name) = match role {
            Role::Customer => (MAYA, "Maya Torres"),
            Role::Mechanic | Role::Workshop => (DANA, "Dana Kowalski"),
            Role::Support | Role::Admin => ("0198d7a0-0000-7000-8000-00000000000c", "Robin Adeyemi"),
        };
        Viewer { id: id.to_owned(), name: name.to_owned(), role }
    });
    let (support_address, time_zone) = ("help@pitlane.example".to_owned(), "America/Chicago".to_owned());
    let now = "2026-11-20T14:33:08Z".to_owned();
    Frame { viewer, nav, support_address, time_zone, now, development: true }
}

/// The plans of the book of October 2025.
pub fn plans() -> Vec<PlanCard> {
    [
        ("free", "Free Diagnostic", "A first look by chat, so you know if it can wait.", 0, 10),
        ("chat10", "Quick Chat", "Text and photos with one mechanic.", 999, 10),
        ("video15", "Expert Video", "Show it on camera.", 2999, 30),
        ("diagnostic", "Premium Diagnostic", "A full guided diagnosis on video.", 4999, 60),
    ]
    .into_iter()
    .map(|(code, name, description, cents, minutes)| PlanCard {
        code: code.to_owned(),
        name: name.to_owned(),
        description: description.to_owned(),
        price: usd(cents),
        duration_minutes: minutes,
        first_time_only: code == "free",
    })
    .collect()
}

fn plan(code: &str) -> PlanCard {
    plans().into_iter().find(|plan| plan.code == code).unwrap_or_default()
}

fn entry(out: &mut Rendered) -> Result<(), web::Error> {
    for (name, on_duty) in [("landing", 14), ("landing-nobody", 0)] {
        let page = LandingPage {
            frame: frame(None, Nav::None),
            plans: plans(),
            mechanics_on_duty: on_duty,
            upgrade: Some(usd(2000)),
            refund_after_minutes: 60,
        };
        add(out, name, &page)?;
    }
    let start = |mode, redirect: Option<&str>, errors, waiting| StartPage {
        frame: frame(None, Nav::None),
        mode,
        redirect: redirect.map(ToOwned::to_owned),
        form: StartForm { email: "maya.torres@example.com".to_owned(), ..StartForm::default() },
        errors,
        waiting,
    };
    let path = Some("/intake?plan=video15");
    add(out, "start", &start(Mode::SignIn, path, Errors::default(), Some(plan("video15"))))?;
    let wrong = Errors::one("", "E-mail or password is wrong. Try again, or use a sign-in link.");
    add(out, "start-wrong", &start(Mode::SignIn, None, wrong, None))?;
    let mut taken = Errors::one("email", HOSTILE);
    taken.push("password", "Use at least 10 characters.");
    add(out, "start-register", &start(Mode::Register, path, taken, Some(plan("chat10"))))?;
    add(out, "start-magic-link", &start(Mode::MagicLink, None, Errors::default(), None))?;
    add(out, "start-forgot", &start(Mode::Forgot, None, Errors::default(), None))?;
    for (name, state) in [("ready", LinkState::Ready), ("expired", LinkState::Expired)] {
        let (frame, token) = (frame(None, Nav::None), "abc".to_owned());
        add(out, &format!("magic-{name}"), &MagicPage { frame, token, state, redirect: None })?;
    }
    for (name, state) in
        [("ready", LinkState::Ready), ("done", LinkState::Done), ("expired", LinkState::Expired)]
    {
        let token = "abc".to_owned();
        add(out, &format!("verify-{name}"), &VerifyPage { frame: frame(None, Nav::None), token, state })?;
        let reset = ResetPage {
            frame: frame(None, Nav::None),
            token: "abc".to_owned(),
            state,
            errors: Errors::one("password", "Use at least 10 characters."),
        };
        add(out, &format!("reset-{name}"), &reset)?;
    }
    let check = CheckMailPage {
        frame: frame(None, Nav::None),
        email: "maya.torres@example.com".to_owned(),
        purpose: MailPurpose::SignIn,
        valid_minutes: 15,
    };
    add(out, "check-mail", &check)
}

fn row(id: &str, code: &str, other: Option<&str>, status: SessionStatus, payment: &str) -> SessionRow {
    let plan = plan(code);
    SessionRow {
        id: id.to_owned(),
        plan_name: plan.name,
        vehicle: Some("2016 Honda Civic".to_owned()),
        other_name: other.map(ToOwned::to_owned),
        status,
        payment_status: payment.to_owned(),
        total: plan.price,
        created_at: "2026-11-20T14:25:00Z".to_owned(),
        scheduled_for: None,
        started_at: None,
        ended_at: (!status.is_open()).then(|| "2026-11-02T10:10:00Z".to_owned()),
        deadline_at: (status == SessionStatus::InProgress).then(|| "2026-11-20T14:35:00Z".to_owned()),
        summary_due: status == SessionStatus::Completed,
        receipt_order_id: Some("0198d7a0-0000-7000-8000-000000000001".to_owned()),
    }
}

fn rows() -> Vec<SessionRow> {
    vec![
        row("1", "chat10", Some("Dana Kowalski"), SessionStatus::InProgress, "paid"),
        row("2", "video15", None, SessionStatus::Requested, "paid"),
        row("3", "diagnostic", Some("John Smith"), SessionStatus::Accepted, "paid"),
        row("4", "diagnostic", Some("Rosa Delgado"), SessionStatus::Completed, "paid"),
        row("5", "chat10", None, SessionStatus::Expired, "refunded"),
        row("6", "chat10", Some(HOSTILE), SessionStatus::Cancelled, "paid"),
    ]
}

fn customer(out: &mut Rendered) -> Result<(), web::Error> {
    for (name, sessions, verified) in [("dashboard", rows(), true), ("dashboard-new", Vec::new(), false)] {
        let page = DashboardPage {
            frame: frame(Some(Role::Customer), Nav::Home),
            email: "maya.torres@example.com".to_owned(),
            email_verified: verified,
            plans: plans(),
            selected_plan: "video15".to_owned(),
            free_used: verified,
            session_count: i64::try_from(sessions.len()).unwrap_or_default(),
            sessions,
            next_href: verified.then(|| "/dashboard?cursor=abc".to_owned()),
            refund_after_minutes: 60,
        };
        add(out, name, &page)?;
    }
    let mut faults = Errors::one("vin", "A VIN has 17 characters, this one has 9. You can leave it empty.");
    faults.push("year", "Tell us the year of your car.");
    faults.push("accept_waiver", "Accept the waiver to go on.");
    let typed = IntakeForm {
        concern: format!("Engine light came on about ten minutes ago. {HOSTILE}"),
        make: "Honda".to_owned(),
        model: "Civic".to_owned(),
        vin: "1HGBH41JX".to_owned(),
        mileage: "84,210".to_owned(),
        files: vec![UploadedFile {
            id: "f1".to_owned(),
            name: "warning-light.jpg".to_owned(),
            bytes: 2_150_000,
        }],
        ..IntakeForm::default()
    };
    for (name, code, form, errors) in [
        ("intake", "video15", IntakeForm::default(), Errors::default()),
        ("intake-faults", "chat10", typed, faults),
        ("intake-free", "free", IntakeForm::default(), Errors::default()),
    ] {
        let page = IntakePage {
            unpaid: false,
            frame: frame(Some(Role::Customer), Nav::None),
            plan: plan(code),
            form,
            cars: account_sections::kept_cars(),
            errors,
            waiver: Waiver {
                version: "2025-10".to_owned(),
                paragraphs: vec![
                    "A mechanic at a distance sees only what you show.".to_owned(),
                    "Don't drive a car that you think is unsafe.".to_owned(),
                ],
            },
            latest_year: 2027,
            max_files: 6,
            max_file_bytes: 25_000_000,
            policy: web::policy::Policy::default(),
            refund_after_minutes: 60,
        };
        add(out, name, &page)?;
    }
    after_payment(out)
}

fn after_payment(out: &mut Rendered) -> Result<(), web::Error> {
    for (name, state) in [
        ("processing", CheckoutState::Processing),
        ("unpaid", CheckoutState::Unpaid),
        ("failed", CheckoutState::Failed),
        ("expired", CheckoutState::Expired),
        ("refunded", CheckoutState::Refunded),
    ] {
        let page = CheckoutSuccessPage {
            wanted: Bought::Session("video15".to_owned()),
            frame: frame(Some(Role::Customer), Nav::None),
            checkout_session_id: "cs_test_1".to_owned(),
            state,
        };
        add(out, &format!("checkout-{name}"), &page)?;
        let page = CheckoutSuccessPage { wanted: Bought::Change(SESSION.to_owned()), ..page };
        add(out, &format!("checkout-{name}-change"), &page)?;
    }
    for status in SessionStatus::ALL {
        let page = ThankYouPage {
            payment_status: "paid".to_owned(),
            frame: frame(Some(Role::Customer), Nav::None),
            session_id: SESSION.to_owned(),
            status,
            plan_name: "Expert Video".to_owned(),
            duration_minutes: 30,
            vehicle: Some("2016 Honda Civic".to_owned()),
            total: usd(2999),
            mechanic_name: (status != SessionStatus::Requested && status != SessionStatus::Expired)
                .then(|| "Dana Kowalski".to_owned()),
            scheduled_for: Some("2026-11-21T10:30:00Z".to_owned()),
            refund_after_minutes: 60,
            receipt_order_id: Some("o1".to_owned()),
        };
        add(out, &format!("thank-you-{}", status.code()), &page)?;
    }
    let receipt = ReceiptPage {
        frame: frame(Some(Role::Customer), Nav::None),
        order_id: "0198d7a0-0000-7000-8000-000000000001".to_owned(),
        issued_at: "2026-11-20T14:25:00Z".to_owned(),
        customer_name: "Maya Torres".to_owned(),
        customer_email: "maya.torres@example.com".to_owned(),
        vehicle: Some("2016 Honda Civic".to_owned()),
        lines: vec![
            ReceiptLine { label: "Quick Chat, 10 minutes".to_owned(), amount: usd(999) },
            ReceiptLine { label: "Switch to video".to_owned(), amount: usd(2000) },
        ],
        tax_rate_bps: 825,
        tax: usd(229),
        net: usd(2770),
        total: usd(2999),
        movements: vec![
            Movement {
                label: "Paid by card".to_owned(),
                at: "2026-11-20T14:25:00Z".to_owned(),
                amount: usd(2999),
            },
            Movement {
                label: "Refund".to_owned(),
                at: "2026-11-20T15:25:00Z".to_owned(),
                amount: usd(-1000),
            },
        ],
        balance: usd(1999),
        session_id: Some(SESSION.to_owned()),
        others: vec![(SESSION.to_owned(), web::plan::UPGRADE)],
    };
    add(out, "receipt", &receipt)?;
    for (name, state) in [
        ("ready", UnsubscribeState::Ready),
        ("done", UnsubscribeState::Done),
        ("again", UnsubscribeState::Again),
        ("unknown", UnsubscribeState::Unknown),
    ] {
        let what = "Reminders of your next steps".to_owned();
        let page =
            UnsubscribePage { frame: frame(None, Nav::None), token: "follow_up.1.2".to_owned(), what, state };
        add(out, &format!("unsubscribe-{name}"), &page)?;
    }
    let text =
        |title: &str| LegalText::parse(&format!("# {title}\n\nVersion: 2026-11-26\n\n## One\n\nTwo.\n"));
    if let (Ok(terms), Ok(privacy)) = (text("Terms"), text("Privacy")) {
        let texts = Arc::new(LegalTexts { terms, privacy });
        for (name, is_privacy) in [("terms", false), ("privacy", true)] {
            let (frame, texts) = (frame(None, Nav::None), Arc::clone(&texts));
            add(out, name, &LegalPage { frame, description: "What holds.".to_owned(), texts, is_privacy })?;
        }
    }
    account(out)
}

fn account(out: &mut Rendered) -> Result<(), web::Error> {
    let account = AccountPage {
        frame: frame(Some(Role::Customer), Nav::Account),
        email: "maya.torres@example.com".to_owned(),
        email_verified: false,
        pending_email: Some("maya@elsewhere.example".to_owned()),
        has_password: true,
        second_factor: false,
        name: "Maya Torres".to_owned(),
        time_zone: "America/Chicago".to_owned(),
        phone: PhoneSection { number: Some("+15550100199".to_owned()), verified: false, offered: true },
        cars: web::account::CarSection::Cars(account_sections::kept_cars()),
        cards: account_sections::cards(),
        mails: account_sections::mails(),
        sign_ins: vec![
            SignInRow {
                id: "s1".to_owned(),
                device: "Firefox on Linux".to_owned(),
                created_at: "2026-11-20T14:00:00Z".to_owned(),
                last_used_at: Some("2026-11-20T14:25:00Z".to_owned()),
                current: true,
            },
            SignInRow {
                id: "s2".to_owned(),
                device: "Safari on iPhone".to_owned(),
                created_at: "2026-11-01T09:00:00Z".to_owned(),
                last_used_at: None,
                current: false,
            },
        ],
        tokens: vec![TokenRow {
            id: "t1".to_owned(),
            name: HOSTILE.to_owned(),
            created_at: "2026-10-20T14:00:00Z".to_owned(),
            last_used_at: None,
        }],
    };
    add(out, "account", &account)?;
    self_check(out)?;
    guarded::pages(out)
}

fn self_check(out: &mut Rendered) -> Result<(), web::Error> {
    let row = |name, ok, detail: &str| CheckRow { name, ok, detail: detail.to_owned() };
    let rows = vec![row("Database", true, "reads and writes"), row("Disk", false, "12 MiB are free")];
    let (frame, looked_at) = (frame(Some(Role::Admin), Nav::None), "2026-11-20T14:25:00Z".to_owned());
    add(out, "self-check", &SelfCheckPage { frame, looked_at, rows })
}

fn event(seq: i64, actor: &str, minute: u8, body: EventBody) -> Event {
    Event {
        seq,
        actor_id: actor.to_owned(),
        actor_name: if actor == MAYA { "Maya Torres" } else { "Dana Kowalski" }.to_owned(),
        created_at: format!("2026-11-20T14:{minute:02}:00Z"),
        body,
    }
}

fn said(seq: i64, actor: &str, minute: u8, text: &str) -> Event {
    event(seq, actor, minute, EventBody::Message { text: text.to_owned(), files: Vec::new() })
}

fn photo() -> FileLink {
    FileLink {
        id: "f1".to_owned(),
        name: "warning-light.jpg".to_owned(),
        bytes: 2_150_000,
        picture: true,
        content_type: "image/jpeg".to_owned(),
        pixels: Some((1_600, 1_200)),
    }
}

fn history() -> Vec<Event> {
    let thumb = EventBody::Reaction { target_seq: 7, emoji: "👍".to_owned(), on: true };
    vec![
        event(1, MAYA, 20, EventBody::Note(NoteKind::Joined)),
        event(2, DANA, 24, EventBody::Note(NoteKind::Joined)),
        event(3, DANA, 25, EventBody::Note(NoteKind::Started)),
        event(
            4,
            MAYA,
            26,
            EventBody::Message {
                text: "The light came on ten minutes ago.".to_owned(),
                files: vec![photo()],
            },
        ),
        said(5, DANA, 26, "Thanks, Maya. Is the light steady or is it flashing?"),
        said(6, MAYA, 27, "Steady."),
        said(
            7,
            DANA,
            28,
            "Good. Then you can drive it home, gently. A shake that goes away above idle is usually one cylinder misfiring.",
        ),
        said(8, DANA, 28, "On this engine I would look at the coil on cylinder 3 first."),
        event(9, MAYA, 28, thumb),
        said(10, MAYA, 29, HOSTILE),
        said(11, MAYA, 29, "Two lines,\none below the other."),
    ]
}

fn room(role: RoomRole, status: SessionStatus, mechanic: Option<bool>, events: Vec<Event>) -> ChatPage {
    let viewer = match role {
        RoomRole::Customer => Role::Customer,
        RoomRole::Mechanic => Role::Mechanic,
        RoomRole::Observer => Role::Admin,
    };
    ChatPage {
        refund: web::policy::RefundTerms::default(),
        upgrade: (role == RoomRole::Customer).then(|| web::chat::UpgradeOffer {
            paid: usd(999),
            fee: usd(2_000),
            total: usd(2_999),
            minutes: 30,
            video_name: "Expert Video".to_owned(),
            patience_seconds: 120,
            suggested: false,
        }),
        extension: (role == RoomRole::Customer)
            .then(|| web::chat::ExtensionOffer { minutes: 10, price: usd(999) }),
        is_chat: true,
        frame: frame(Some(viewer), Nav::None),
        now: "2026-11-20T14:29:30Z".to_owned(),
        session: ChatSession {
            id: SESSION.to_owned(),
            plan_name: "Quick Chat".to_owned(),
            duration_minutes: 10,
            status,
            end_reason: (status == SessionStatus::Completed).then(|| "time_limit".to_owned()),
            payment_status: "paid".to_owned(),
            total: usd(999),
            scheduled_for: None,
            deadline_at: (status == SessionStatus::InProgress).then(|| "2026-11-20T14:35:00Z".to_owned()),
            last_seq: events.last().map_or(0, |event| event.seq),
            content_dropped: false,
            video: false,
            booked_video: false,
        },
        viewer_role: role,
        customer: Person { id: MAYA.to_owned(), name: "Maya Torres".to_owned(), online: true },
        mechanic: mechanic.map(|online| Person {
            id: DANA.to_owned(),
            name: "Dana Kowalski".to_owned(),
            online,
        }),
        concern: "Engine light came on about ten minutes ago. The car shakes when I stop at a light."
            .to_owned(),
        vehicle: Some(Vehicle {
            title: "2016 Honda Civic".to_owned(),
            mileage: Some(84_210),
            vin: Some("1HGBH41JXMN109186".to_owned()),
        }),
        concern_files: vec![photo()],
        files: vec![photo()],
        receipt: vec![ReceiptLine { label: "Quick Chat, 10 minutes".to_owned(), amount: usd(999) }],
        receipt_order_id: Some("o1".to_owned()),
        events,
        read_by_other_seq: 6,
        message_max_bytes: 4000,
        warning_seconds: 120,
        refund_after_minutes: 60,
        grace_minutes: 10,
        max_file_bytes: 26_214_400,
    }
}

fn rooms(out: &mut Rendered) -> Result<(), web::Error> {
    let start = || history().into_iter().take(1).collect::<Vec<_>>();
    for (name, role, status, mechanic, events) in [
        ("chat", RoomRole::Customer, SessionStatus::InProgress, Some(true), history()),
        ("chat-waiting", RoomRole::Customer, SessionStatus::Requested, None, start()),
        ("chat-assigned", RoomRole::Customer, SessionStatus::Accepted, Some(false), start()),
        ("chat-mechanic", RoomRole::Mechanic, SessionStatus::InProgress, Some(true), history()),
        ("chat-mechanic-start", RoomRole::Mechanic, SessionStatus::Accepted, Some(true), start()),
        ("chat-completed", RoomRole::Customer, SessionStatus::Completed, Some(true), history()),
        ("chat-cancelled", RoomRole::Customer, SessionStatus::Cancelled, None, start()),
        ("chat-expired", RoomRole::Customer, SessionStatus::Expired, None, start()),
        ("chat-observer", RoomRole::Observer, SessionStatus::InProgress, Some(true), history()),
    ] {
        add(out, name, &room(role, status, mechanic, events))?;
    }
    for (name, role, status) in [
        ("room-video", RoomRole::Customer, SessionStatus::InProgress),
        ("room-video-early", RoomRole::Customer, SessionStatus::Requested),
        ("room-video-mechanic", RoomRole::Mechanic, SessionStatus::Accepted),
        ("room-video-over", RoomRole::Customer, SessionStatus::Completed),
    ] {
        let mut page = room(role, status, Some(true), history());
        page.session.video = true;
        page.session.booked_video = true;
        add(out, name, &page)?;
    }
    Ok(())
}

fn staff(out: &mut Rendered) -> Result<(), web::Error> {
    let request = |id: &str, customer: &str, vehicle: &str, concern: &str, priority| RequestCard {
        id: id.to_owned(),
        customer_name: customer.to_owned(),
        plan_name: "Quick Chat".to_owned(),
        duration_minutes: 10,
        vehicle: vehicle.to_owned(),
        concern: concern.to_owned(),
        priority,
        expires_at: Some("2026-11-20T15:25:00Z".to_owned()),
    };
    let open = vec![
        request("r1", "Maya T.", "2016 Honda Civic", "Engine light came on about ten minutes ago.", true),
        request("r2", "Priya N.", "2019 Ford F-150", HOSTILE, false),
    ];
    for (name, approval, on_duty, requests, sessions) in [
        ("mechanic", Approval::Approved, true, open, rows()),
        ("mechanic-empty", Approval::Approved, true, Vec::new(), Vec::new()),
        ("mechanic-off-duty", Approval::Approved, false, Vec::new(), rows()),
        ("mechanic-pending", Approval::Pending, false, Vec::new(), Vec::new()),
        (
            "mechanic-refused",
            Approval::Refused("The certificate can't be read.".to_owned()),
            false,
            Vec::new(),
            Vec::new(),
        ),
    ] {
        let page = MechanicPage {
            frame: frame(Some(Role::Mechanic), Nav::Home),
            approval,
            application: Application::None,
            on_duty,
            requests,
            plans: plans(),
            sessions,
        };
        add(out, name, &page)?;
    }
    operations(out)
}

fn operations(out: &mut Rendered) -> Result<(), web::Error> {
    let live = |id: &str, status, mechanic: Option<&str>| LiveRow {
        id: id.to_owned(),
        status,
        customer_name: "Maya Torres".to_owned(),
        customer_online: true,
        mechanic_name: mechanic.map(ToOwned::to_owned),
        mechanic_online: false,
        plan_name: "Expert Video".to_owned(),
        created_at: "2026-11-20T14:12:00Z".to_owned(),
        deadline_at: (status == SessionStatus::InProgress).then(|| "2026-11-20T14:42:00Z".to_owned()),
        total: usd(2999),
    };
    let busy = vec![
        live(SESSION, SessionStatus::Requested, None),
        live("0198d7a0-0000-7000-8000-0000000044c2", SessionStatus::InProgress, Some("Dana Kowalski")),
        live("0198d7a0-0000-7000-8000-0000000044c3", SessionStatus::Accepted, Some(HOSTILE)),
    ];
    let waiting = PendingMechanic {
        id: "m9".to_owned(),
        name: "Hiro Tanaka".to_owned(),
        email: "hiro@example.com".to_owned(),
        email_verified: false,
        registered_at: "2026-11-20T08:00:00Z".to_owned(),
    };
    let assign = LiveQuery { assign: Some(SESSION.to_owned()), ..LiveQuery::default() };
    let attention = watch::attention();
    for (name, query, rows, approvals) in [
        ("admin", LiveQuery::default(), busy.clone(), vec![waiting.clone()]),
        ("admin-assign", assign, busy, vec![waiting]),
        ("admin-empty", LiveQuery::default(), Vec::new(), Vec::new()),
    ] {
        let page = AdminPage {
            frame: frame(Some(Role::Admin), Nav::Home),
            now: "2026-11-20T14:33:08Z".to_owned(),
            query,
            attention: if rows.is_empty() { Vec::new() } else { attention.clone() },
            counts: LiveCounts {
                requested: if rows.is_empty() { 0 } else { 1 },
                scheduled: 0,
                accepted: 1,
                in_progress: 1,
            },
            next_cursor: (!rows.is_empty()).then(|| "abc".to_owned()),
            rows,
            mechanics: vec![AssignableMechanic {
                id: DANA.to_owned(),
                name: "Dana Kowalski".to_owned(),
                on_duty: true,
            }],
            applications: i64::from(!approvals.is_empty()),
            approvals,
            on_duty: 14,
            dead_jobs: 2,
        };
        add(out, name, &page)?;
    }
    let item = |id: &str, channel: &str, subject: &str| MailboxItem {
        id: id.to_owned(),
        channel: channel.to_owned(),
        to: "maya.torres@example.com".to_owned(),
        subject: subject.to_owned(),
        text: format!("{HOSTILE}\nhttps://pitlane.example/auth/verify/abc"),
        has_html: channel == "mail",
        links: vec!["http://localhost:8080/auth/verify/abcdefghijklmnopqrstuvwxyz0123456789".to_owned()],
        milestone: "verification".to_owned(),
        created_at: "2026-11-20T14:25:00Z".to_owned(),
    };
    let items = vec![item("1", "mail", "Confirm your e-mail address"), item("2", "sms", "")];
    add(out, "mailbox", &MailboxPage { frame: frame(None, Nav::None), items })?;
    add(out, "mailbox-empty", &MailboxPage { frame: frame(None, Nav::None), items: Vec::new() })
}

fn errors(out: &mut Rendered) -> Result<(), web::Error> {
    for kind in ErrorKind::ALL {
        let page = ErrorPage {
            frame: frame(Some(Role::Customer), Nav::None),
            kind,
            detail: None,
            request_id: "7f3a91c2d4e5".to_owned(),
            retry_after_seconds: (kind == ErrorKind::TooManyRequests).then_some(12),
            redirect: Some("/chat/1?a=b".to_owned()),
        };
        add(out, &format!("error-{kind:?}").to_lowercase(), &page)?;
    }
    Ok(())
}

/// Every mail: the milestone and the mail.
pub fn mails() -> Result<Vec<(&'static str, Mail)>, web::Error> {
    Ok([letters::mails()?, staff::mails()?, watch::mails()?].concat())
}
