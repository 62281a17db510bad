//! Stripe's official SDKs against the sandbox, and Pitlane's own requests against the SDKs' types.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use reqwest::Method;
use tests::money::GOOD_CARD;
use tests::recorder::Recorder;
use tests::server::{printed, root, run_with};
use tests::{Backend, TestServer, until};

use super::money_back::{meeting_with_card, upgrade};
use super::upgrades::{keep, pay};

/// A Python that has the SDK of `tests/sdk/requirements.txt`.
fn python() -> Option<PathBuf> {
    std::env::var_os("PITLANE_TEST_STRIPE_PYTHON").map(PathBuf::from)
}

/// A folder with the packages of `tests/sdk/package.json`.
fn packages() -> Option<PathBuf> {
    std::env::var_os("PITLANE_TEST_STRIPE_NPM").map(PathBuf::from)
}

/// Runs a command without keeping the runtime from the proxy's and the server's tasks.
async fn finished(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.stdin(Stdio::null()).output())
        .await
        .expect("the thread ends")
        .expect("the program can be started")
}

fn script(python: &PathBuf, name: &str) -> Command {
    let mut command = Command::new(python);
    command.arg("-B").arg(root().join("tests/sdk").join(name));
    command
}

/// A kept card is charged, another one says no, both are removed; a payment is disputed; the customer is forgotten. With
/// [`pay_cancel_and_leave`] this is all that Pitlane asks of Stripe.
async fn keep_upgrade_dispute_and_forget(server: &TestServer) {
    let meeting = meeting_with_card(server).await;
    let dana = &meeting.customer;
    upgrade(dana, &meeting.session).await;
    keep(server, dana, "pm_card_chargeCustomerFail").await;
    let second = dana.paid_session("chat10").await;
    pay(dana, &second, 20.00).await.refused(402, "payment_action_required");
    let cards = dana.client.get("/api/me/cards").await.expect_status(200);
    for card in cards.body["items"].as_array().expect("a list") {
        let path = format!("/api/me/cards/{}", card["id"].as_str().expect("an id"));
        dana.client.send(Method::DELETE, &path, None).await.expect_status(204);
    }
    // Nothing that comes due later is left.
    dana.step(&second, "cancel").await.expect_status(200);
    let disputed = server.disputed_chat().await;
    until("the dispute to be known", async || {
        (disputed.customer.session(&disputed.session).await["payment_status"] == "disputed").then_some(())
    })
    .await;
    disputed.customer.step(&disputed.session, "cancel").await.expect_status(200);
    let left = server.customer().await;
    let cancelled = left.paid_session("chat10").await;
    left.step(&cancelled, "cancel").await.expect_status(200);
    left.client.send(Method::DELETE, "/api/me", None).await.expect_status(204);
    until("the provider to have forgotten them", async || (server.jobs_left() == 0).then_some(())).await;
}

/// A payment, its refund and an expired page.
async fn pay_cancel_and_leave(server: &TestServer) {
    let customer = server.customer().await;
    let checkout = customer.checkout("chat10").await;
    customer.pay(&checkout, GOOD_CARD).await.expect_status(303);
    let session = customer.session_of(&checkout).await;
    customer.step(&session, "cancel").await.expect_status(200);
    until("the money to be back", async || {
        (customer.session(&session).await["payment_status"] == "refunded").then_some(())
    })
    .await;
    customer.checkout("video15").await;
    server.advance_clock(90_000).await;
}

#[test]
fn stripes_own_sdk_works_with_the_sandbox_and_both_sides_have_its_shapes() {
    let Some(python) = python() else {
        eprintln!("skipped: Stripe's SDK is not installed; `cargo xtask test` installs it");
        return;
    };
    let recorder = Recorder::start();
    run_with(Backend::Sqlite, &[("PITLANE_PAYMENTS__API_BASE", recorder.url())], async |server| {
        recorder.forward_to(server.url());
        pay_cancel_and_leave(server).await;
        keep_upgrade_dispute_and_forget(server).await;

        let mut drive = script(&python, "drive.py");
        drive.arg(recorder.url()).arg(server.url());
        let walked = finished(drive).await;
        println!("{}", printed(&walked));
        assert!(walked.status.success(), "the walk with the SDK: {}", printed(&walked));

        let types = server.folder().join("types.ts");
        let mut shapes = script(&python, "shapes.py");
        shapes.arg(recorder.exchanges()).arg(&types);
        let judged = finished(shapes).await;
        println!("{}", printed(&judged));
        assert!(judged.status.success(), "the shapes: {}", printed(&judged));

        let Some(packages) = packages() else {
            eprintln!("skipped: the types of Stripe's npm SDK are not installed");
            return;
        };
        let copied = packages.join("types.ts");
        fs::copy(&types, &copied).expect("the types can be copied");
        let mut compiler = Command::new(packages.join("node_modules/.bin/tsc"));
        compiler.current_dir(&packages).args(["--noEmit", "--strict", "--skipLibCheck"]);
        compiler.args(["--module", "nodenext", "--target", "es2022", "types.ts"]);
        let compiled = finished(compiler).await;
        assert!(compiled.status.success(), "the types of the npm SDK: {}", printed(&compiled));
    });
}
