//! The pages about the money of sessions and about disputes: who finds what, who sees what, and what is written down of it.

use reqwest::Method;
use serde_json::json;
use tests::money::{GOOD_CARD, Meeting};
use tests::{Person, TestServer, on_both, until};

use crate::blackbox::money_back::{meeting_with_card, upgrade};

async fn page(person: &Person, path: &str) -> String {
    person.client.get(path).await.expect_status(200).text
}

/// Asserts that the page holds these texts, and none of those.
fn holds(page: &str, these: &[&str], not_those: &[&str]) {
    for text in these {
        assert!(page.contains(text), "no {text:?} in\n{page}");
    }
    for text in not_those {
        assert!(!page.contains(text), "{text:?} in\n{page}");
    }
}

/// A dispute of this charge, once Pitlane has heard of it; its id here and at the provider.
pub async fn disputed(server: &TestServer, admin: &Person, intent: &str) -> (String, String) {
    let body = json!({ "payment_intent": intent, "reason": "product_not_received" });
    let opened = server.guest().post("/sandbox/disputes", body).await.expect_status(200).text_at("id");
    until("the dispute", async || {
        let list = admin.client.get("/api/admin/disputes").await.expect_status(200);
        let items = list.body["items"].as_array().expect("a list").clone();
        let one = items.into_iter().find(|item| item["provider_id"] == opened.as_str())?;
        Some((one["id"].as_str().expect("an id").to_owned(), opened.clone()))
    })
    .await
}

on_both! {
    async fn a_session_is_found_by_its_id_a_name_an_address_and_a_charge_whatever_became_of_it(server) {
        let Meeting { customer: dana, mechanic: max, session } = meeting_with_card(server).await;
        let intent = upgrade(&dana, &session).await;
        dana.step(&session, "end").await.expect_status(200);
        let other = server.customer().await.paid_session("chat10").await;
        let admin = server.admin().await;
        let address = dana.email.replace('@', "%40");
        let short = &session[session.len() - 8..];
        for search in [&session, short, &session.replace('-', ""), &address, &dana.email.to_uppercase(), &intent] {
            let found = page(&admin, &format!("/admin/sessions?q={search}")).await;
            holds(&found, &[&format!("/admin/sessions/{session}"), "Quick Chat, upgraded to video", "$29.99"], &[&other]);
        }
        holds(&page(&admin, &format!("/admin/sessions?q={}", max.name)).await, &[&session], &[&other]);
        for all in ["", "?q=Dana", "?q=+"] {
            holds(&page(&admin, &format!("/admin/sessions{all}")).await, &[&session, &other], &[]);
        }
        for nobody in ["nobody", "%25", "_", "pi_nothing", "' OR 1=1 --"] {
            holds(&page(&admin, &format!("/admin/sessions?q={nobody}")).await, &["No session fits"], &[&session]);
        }
        admin.client.get("/admin/sessions?cursor=x").await.expect_status(422);
        admin.client.get("/admin/sessions/nonsense").await.expect_status(404);
        admin.client.get(&format!("/admin/sessions/{}", dana.id)).await.expect_status(404);
        for (who, path) in [(&dana, "/admin/sessions"), (&max, "/admin/disputes")] {
            who.client.get(path).await.expect_status(403);
        }
    }

    async fn the_list_of_sessions_goes_on_where_a_page_ends(server) {
        let (dana, admin) = (server.customer().await, server.admin().await);
        let first = dana.paid_session("chat10").await;
        for _ in 0..2 {
            dana.paid_session("chat10").await;
        }
        let api = admin.client.get("/api/admin/sessions/active?limit=2").await.expect_status(200);
        let cursor = api.text_at("next_cursor");
        let rest = page(&admin, &format!("/admin/sessions?cursor={cursor}")).await;
        holds(&rest, &[&first], &["Older"]);
        assert_eq!(rest.matches("<th scope=\"row\"").count(), 1, "{rest}");
    }

    async fn the_money_of_a_session_is_told_order_by_order_and_support_only_looks(server) {
        let Meeting { customer: dana, session, .. } = meeting_with_card(server).await;
        dana.client.post_nothing(&format!("/api/sessions/{session}/extend")).await.expect_status(200);
        upgrade(&dana, &session).await;
        dana.step(&session, "end").await.expect_status(200);
        let (admin, support) = (server.admin().await, server.demo("support").await);
        let path = format!("/admin/sessions/{session}");
        let whole = page(&admin, &path).await;
        holds(&whole, &["$39.98", "Upgrade to video", "More time", "$20.00", "$9.99", "has earned $16.00", "/receipt"], &["Sent back by hand"]);
        holds(&whole, &["left-cents=\"3998\"", "$39.98 can still go back"], &[]);

        let body = json!({ "amount_cents": 500, "reason": "The call broke off." });
        admin.client.post(&format!("/api{path}/refund"), body).await.expect_status(200);
        until("the refund", async || {
            page(&admin, &path).await.contains("Refund, by an admin").then_some(())
        }).await;
        let after = page(&admin, &path).await;
        holds(&after, &["Sent back by hand", "The call broke off.", "left-cents=\"3498\"", "Partly refunded", "has earned $12.00"], &[]);

        let seen = page(&support, &path).await;
        holds(&seen, &["$39.98", "The call broke off.", "An admin can send money back."], &["<session-refund", "/receipt"]);
        support.client.post(&format!("/api{path}/refund"), json!({ "reason": "No." })).await.refused(403, "wrong_role");
        for gone in ["/admin/disputes", "/api/admin/disputes"] {
            support.client.get(gone).await.expect_status(403);
        }
        holds(&page(&support, "/admin/sessions").await, &[&session], &["/admin/disputes"]);

        // Two looks of two people, however often the page renews itself.
        let log = admin.client.get(&format!("/api/admin/audit?action=session.read&object_id={session}")).await;
        let lines = log.expect_status(200).body["items"].as_array().expect("lines").clone();
        assert_eq!(lines.iter().filter(|line| line["details"]["what"] == "money").count(), 2, "{lines:?}");
    }

    async fn what_never_was_paid_and_what_was_free_is_told_as_that(server) {
        let (dana, admin) = (server.customer().await, server.admin().await);
        dana.intake("free").await;
        let sessions = dana.client.get("/api/sessions").await.expect_status(200);
        let session = sessions.body["items"][0]["id"].as_str().expect("an id").to_owned();
        let money = page(&admin, &format!("/admin/sessions/{session}")).await;
        holds(&money, &["It was free.", "Nothing was paid for this session"], &["<session-refund"]);
        let refund = admin.client.post(&format!("/api/admin/sessions/{session}/refund"), json!({ "reason": "x" })).await;
        refund.refused(409, "refund_exceeds_payment");
    }

    async fn a_dispute_opens_a_case_with_its_date_and_what_speaks_for_us(server) {
        let Meeting { customer: dana, mechanic: max, session } = meeting_with_card(server).await;
        dana.say(&session, "1", "It shakes at idle.").await.expect_status(201);
        max.say(&session, "2", "Since when?").await.expect_status(201);
        max.say(&session, "3", "Does it smell?").await.expect_status(201);
        let intent = upgrade(&dana, &session).await;
        for person in [&dana, &max] {
            let body = json!({ "state": "connected", "connection_id": person.name });
            let answer = person.client.post(&format!("/api/sessions/{session}/media"), body).await;
            assert!(answer.status < 300, "{answer:?}");
        }
        max.step(&session, "end").await.expect_status(200);
        let summary = json!({ "findings": "A coil.", "steps_taken": "Listened.", "parts_needed": "", "next_steps": "Change it." });
        max.client.post(&format!("/api/sessions/{session}/summary"), summary).await.expect_status(201);
        let admin = server.admin().await;
        holds(&page(&admin, "/admin/disputes").await, &["No disputes", "No dispute waits for an answer"], &[]);
        let (case, provider) = disputed(server, &admin, &intent).await;

        let list = page(&admin, "/admin/disputes").await;
        holds(&list, &["1 dispute waits for an answer", &format!("/admin/disputes/{case}"), "$20.00", "$16.00", "days left", &max.name], &[]);
        holds(&list, &["nothing was delivered"], &["class=\"bad\""]);
        for (status, there) in [("open", true), ("won", false), ("lost", false), ("under_review", false)] {
            let some = page(&admin, &format!("/admin/disputes?status={status}")).await;
            assert_eq!(some.contains(&format!("/admin/disputes/{case}")), there, "{status}");
        }
        let path = format!("/admin/disputes/{case}");
        let proof = page(&admin, &path).await;
        holds(&proof, &[
            &provider, &intent, "Answer by", "Upgrade to video, $20.00", "accepted", "127.0.0.1",
            "Dana Driver wrote 1, Max Mechanic wrote 2", "/transcript", "/receipt", "Max Mechanic wrote it",
            "The bank has taken the money",
        ], &["Nobody was connected", "overdue", "banner-bad"]);
        let money = page(&admin, &format!("/admin/sessions/{session}")).await;
        holds(&money, &["Taken by the bank", "$20.00 disputed: To answer", &path, "left-cents=\"999\"", "Frozen while"], &[]);

        // The date comes near.
        server.advance_clock(7 * 86_400).await;
        holds(&page(&admin, &path).await, &["banner-bad", "left"], &["overdue"]);
        holds(&page(&admin, "/admin/disputes").await, &["class=\"bad\""], &[]);

        let verdict = format!("/sandbox/disputes/{provider}/decide");
        server.guest().post(&verdict, json!({ "outcome": "won" })).await.expect_status(200);
        until("the verdict", async || {
            page(&admin, &path).await.contains("The money is back").then_some(())
        }).await;
        holds(&page(&admin, "/admin/disputes").await, &["No dispute waits for an answer", "decided"], &[]);
        admin.client.get(&format!("/admin/disputes/{session}")).await.expect_status(404);
        let log = admin.client.get(&format!("/api/admin/audit?action=session.read&object_id={session}")).await;
        assert!(log.expect_status(200).text.contains("dispute"));
    }

    async fn what_went_back_stands_on_the_page_that_a_customer_takes_home(server) {
        let Meeting { customer: dana, session, .. } = server.meeting().await;
        dana.step(&session, "end").await.expect_status(200);
        let complete = format!("/sessions/{session}/complete");
        holds(&page(&dana, &complete).await, &["$9.99", "Paid</span>"], &["efunded", "Paid in all"]);
        let refund = format!("/api/admin/sessions/{session}/refund");
        let admin = server.admin().await;
        let part = json!({ "amount_cents": 300, "reason": "It was short." });
        admin.client.post(&refund, part).await.expect_status(200);
        let shown = page(&dana, &complete).await;
        let lines = ["<dt>Refunded</dt><dd>\u{2212}$3.00</dd>", "<dt>Paid in all</dt><dd>$6.99</dd>", "Partly refunded"];
        holds(&shown, &lines, &["Paid</span>"]);
        admin.client.post(&refund, json!({ "reason": "All of it." })).await.expect_status(200);
        let shown = page(&dana, &complete).await;
        holds(&shown, &["<dd>\u{2212}$9.99</dd>", "<dd>$0.00</dd>", "Refunded</span>"], &["Partly", "Paid</span>"]);
    }

    async fn after_an_upgrade_every_page_says_what_the_session_is_now(server) {
        let (dana, max) = (server.customer().await, server.mechanic().await);
        let checkout = dana.checkout("chat10").await;
        dana.pay_and_keep(&checkout, GOOD_CARD).await.expect_status(303);
        let session = dana.session_of(&checkout).await;
        max.accept(&session).await;
        let before = page(&dana, "/dashboard").await;
        holds(&before, &["Quick Chat"], &["upgraded"]);
        upgrade(&dana, &session).await;
        let admin = server.admin().await;
        let now = "Quick Chat, upgraded to video";
        for who in [&dana, &max] {
            holds(&page(who, &format!("/chat/{session}")).await, &[&format!("<b>{now}</b>, 30 minutes")], &[]);
        }
        holds(&page(&admin, &format!("/chat/{session}")).await, &[now, &format!("/admin/sessions/{session}")], &[]);
        for (who, path) in [(&dana, "/dashboard"), (&max, "/mechanic"), (&admin, "/admin")] {
            holds(&page(who, path).await, &[now], &[]);
        }
        holds(&page(&dana, &format!("/thank-you?session={session}")).await, &[&format!("{now}, 30 minutes")], &[]);
        max.step(&session, "start").await.expect_status(200);
        max.step(&session, "end").await.expect_status(200);
        for who in [&dana, &max] {
            holds(&page(who, &format!("/sessions/{session}/transcript")).await, &[&format!("{now}, 30 minutes")], &[]);
        }
        let complete = page(&dana, &format!("/sessions/{session}/complete")).await;
        holds(&complete, &[&format!("{now}, 30 minutes"), "Book Quick Chat again"], &[]);
        let mail = server.message_to(&dana.email, "session_ended").await;
        assert!(mail["text"].as_str().is_some_and(|text| text.contains(now)), "{mail}");

        // Each receipt says what it is for, and where the others are.
        let first = page(&dana, &format!("/orders/{}/receipt", checkout.order_id)).await;
        holds(&first, &["Quick Chat", "Paid for the same session", ">Upgrade to video</a>"], &[]);
        let other = first.split("/orders/").nth(1).expect("a link").split('/').next().expect("an id").to_owned();
        let second = page(&dana, &format!("/orders/{other}/receipt")).await;
        holds(&second, &["<dt>Upgrade to video</dt>", "$20.00", ">The session</a>"], &[]);
        let answer = dana.client.send(Method::GET, &format!("/api/orders/{other}/receipt"), None).await;
        assert_eq!(answer.expect_status(200).body["total_cents"], 2_000);
    }
}
